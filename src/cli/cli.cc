#include "cli/cli.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "cli/argv_guard.h"
#include "cli/command.h"

namespace p402::cli {

struct Owned {
  std::unique_ptr<Console> console;
};

Commands::Commands(Process process)
    : context_(std::make_unique<Context>(Context{.process = std::move(process)})) {}

Commands::~Commands() = default;

std::unique_ptr<Commands> Commands::OfThisProcess(const Clock& clock) {
  auto owned = std::make_unique<Owned>(Owned{.console = OpenProcessConsole()});
  auto commands = std::make_unique<Commands>(
      Process{.console = *owned->console,
              .clock = clock,
              .env = [](const char* name) -> std::optional<std::string> {
                const char* value = std::getenv(name);
                if (value == nullptr) return std::nullopt;
                return std::string(value);
              },
              .make_client =
                  [](std::string ca_file) { return net::HttpClient::Create(std::move(ca_file)); }});
  commands->owned_ = std::move(owned);
  return commands;
}

void Commands::Register(CLI::App& root) {
  Context& context = *context_;
  auto& keys = AddGroup(root, "keys", "Create, list, change, rotate, revoke and verify keys",
                        "p402 keys list");
  RegisterKeysCreate(keys, context);
  RegisterKeysList(keys, context);
  RegisterKeysGet(keys, context);
  RegisterKeysUpdate(keys, context);
  RegisterKeysRevoke(keys, context);
  RegisterKeysRotate(keys, context);
  RegisterKeysVerify(keys, context);
  auto& accounts = AddGroup(root, "accounts", "Create and list accounts", "p402 accounts list");
  RegisterAccountsCreate(accounts, context);
  RegisterAccountsList(accounts, context);
  auto& audit =
      AddGroup(root, "audit", "Read, check, anchor and prune the audit trail", "p402 audit list");
  RegisterAuditList(audit, context);
  RegisterAuditVerify(audit, context);
  RegisterAuditAnchor(audit, context);
  RegisterAuditPrune(audit, context);
  RegisterBackup(root, context);
  RegisterCompletion(root, context);
  RegisterManual(root, context);
  RegisterVersion(root, context);
}

std::optional<int> Commands::Run() {
  if (!context_->chosen) return std::nullopt;
  const int code = context_->chosen();
  if (code == kDone && !context_->process.console.out_is_good()) {
    return Complain(context_->process, "standard output did not take everything", kRefused);
  }
  return code;
}

bool RefuseRawKeys(std::span<const char* const> arguments) {
  if (!AnyLooksLikeRawKey(arguments)) return false;
  OpenProcessConsole()->Err(kRawKeyAdvice);
  return true;
}

}  // namespace p402::cli
