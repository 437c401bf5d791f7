#include "app/app.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <map>

#include "app/config.h"
#include "app/offline.h"
#include "app/process.h"
#include "app/serve.h"
#include "base/file.h"

namespace p402::app {
namespace {

constexpr size_t kConfigBytes = 1024 * 1024;

CLI::App& AddCommand(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& example) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->footer("Example:\n  " + example);
  return *command;
}

const Setting& SettingOf(std::string_view name) {
  return *std::find_if(Settings().begin(), Settings().end(),
                       [&](const Setting& setting) { return setting.name == name; });
}

}  // namespace

// What the parser writes into.
struct Commands::Impl {
  // The slots of one command's settings.
  struct Slots {
    std::map<std::string, std::vector<std::string>, std::less<>> texts;
    std::map<std::string, bool, std::less<>> switches;
    std::map<std::string, CLI::Option*, std::less<>> options;
    std::string config_file;

    void Add(CLI::App& command, const Setting& setting);
    Values Given() const;
  };

  explicit Impl(const Clock& c) : clock(c) {}
  void RegisterServe(CLI::App& root);
  void RegisterInit(CLI::App& root);
  void RegisterRestore(CLI::App& root);
  int RunServe() const;

  const Clock& clock;
  std::function<int()> chosen = {};
  Slots serve = {};
  Slots init = {};
  bool is_init_json = false;
  store::sqlite::RestoreOptions restore = {};
  bool is_restore_json = false;
  std::string audit_data = {};
  CLI::App* audit_verify = nullptr;
};

void Commands::Impl::Slots::Add(CLI::App& command, const Setting& setting) {
  const std::string name(setting.name);
  const std::string flag = "--" + name;
  const std::string help(setting.help);
  CLI::Option* option = nullptr;
  if (setting.type_name.empty()) {
    option = command.add_flag(flag, switches[name], help);
  } else {
    option = command.add_option(flag, texts[name], help);
    option->type_name(std::string(setting.type_name));
    if (setting.is_list) {
      option->delimiter(',');
    } else {
      option->expected(1);
    }
  }
  option->envname(EnvironmentName(setting.name));
  options[name] = option;
}

// CLI11 has already let a flag beat the environment.
Values Commands::Impl::Slots::Given() const {
  Values values;
  for (const auto& [name, option] : options) {
    if (option->count() == 0) continue;
    const auto text = texts.find(name);
    values[name] = text != texts.end()
                       ? text->second
                       : std::vector<std::string>{switches.find(name)->second ? "true" : "false"};
  }
  return values;
}

void Commands::Impl::RegisterServe(CLI::App& root) {
  auto& command = AddCommand(root, "serve", "Run the server",
                             "p402 serve --data ./data --listen 127.0.0.1:4020");
  for (const Setting& setting : Settings()) serve.Add(command, setting);
  command
      .add_option("--config", serve.config_file,
                  "TOML file with the same names, and [routes.NAME] with scopes, account, mode "
                  "and deny_status for /authz/NAME; a flag beats the environment beats the file "
                  "(default none)")
      ->type_name("FILE")
      ->envname("P402_CONFIG");
  command.callback([this] { chosen = [this] { return RunServe(); }; });
}

int Commands::Impl::RunServe() const {
  FileConfig file;
  if (!serve.config_file.empty()) {
    const auto text = ReadFile(serve.config_file, kConfigBytes);
    if (!text) return Complain("cannot read " + serve.config_file, kUsage);
    auto parsed = ParseConfig(*text);
    if (!parsed) {
      return Complain(serve.config_file + ": " + parsed.error().public_message, kUsage);
    }
    file = std::move(*parsed);
  }
  const auto options = BuildServeOptions(Merge(serve.Given(), file.values), std::move(file.routes));
  return options ? Serve(*options, clock) : Complain(options.error());
}

void Commands::Impl::RegisterInit(CLI::App& root) {
  auto& command =
      AddCommand(root, "init", "Make the first account and key in an empty folder, without serving",
                 "p402 init --data ./data --json");
  for (const char* name : {"data", "brand", "account-name"}) init.Add(command, SettingOf(name));
  command.add_flag("--json", is_init_json, "Print account_id, key_id and key as JSON");
  command.callback([this] {
    chosen = [this] {
      Values values = init.Given();
      const auto options = BuildServeOptions(values, {});
      if (!options) return Complain(options.error());
      return Init(options->node.data,
                  {.brand = options->node.brand,
                   .account_name = options->node.first_account_name,
                   .is_json = is_init_json},
                  clock);
    };
  });
}

void Commands::Impl::RegisterRestore(CLI::App& root) {
  auto& command =
      AddCommand(root, "restore", "Put a backup in place; keys revoked since then stay revoked",
                 "p402 restore p402-backup.db --data ./data");
  command.add_option("BACKUP", restore.backup, "A file that p402 backup wrote")
      ->required()
      ->type_name("");
  command.add_option("--data", restore.folder, "Folder of the store; a store in it is kept aside")
      ->required()
      ->type_name("DIR")
      ->envname("P402_DATA");
  command.add_flag("--accept-resurrection", restore.accept_resurrection,
                   "Go on without the journal of revocations: revoked keys may come back to life");
  command.add_flag("--json", is_restore_json, "Print the report as JSON");
  command.callback(
      [this] { chosen = [this] { return Restore(restore, is_restore_json, clock); }; });
}

Commands::Commands(const Clock& clock) : impl_(std::make_unique<Impl>(clock)) {}
Commands::~Commands() = default;

void Commands::Register(CLI::App& root) {
  impl_->RegisterServe(root);
  impl_->RegisterInit(root);
  impl_->RegisterRestore(root);
}

void Commands::ExtendAuditVerify(CLI::App& command) {
  impl_->audit_verify = &command;
  command
      .add_option("--data", impl_->audit_data,
                  "Read this folder instead of asking a server; it may be in use")
      ->type_name("DIR");
}

std::optional<int> Commands::Run() {
  if (impl_->chosen) return impl_->chosen();
  CLI::App* verify = impl_->audit_verify;
  if (verify == nullptr || !verify->parsed() || impl_->audit_data.empty()) return std::nullopt;
  const auto* anchor = verify->get_option("--anchor");
  return VerifyAudit(impl_->audit_data, anchor->count() > 0 ? anchor->as<std::string>() : "",
                     verify->get_option("--json")->count() > 0);
}

}  // namespace p402::app
