#include <CLI/CLI.hpp>
#include <algorithm>
#include <span>

#include "app/app.h"
#include "app/process.h"
#include "base/clock.h"
#include "cli/cli.h"

namespace {

int ParseAndRun(std::span<const char* const> arguments) {
  const p402::RealClock clock;
  CLI::App root("Issue, verify, rotate and revoke API keys", "p402");
  root.set_version_flag("--version", std::string("p402 ") + std::string(p402::cli::Version()));
  root.require_subcommand(1);
  root.footer("Every command explains itself: p402 keys create --help");
  p402::app::Commands server(clock);
  const auto client = p402::cli::Commands::OfThisProcess(clock);
  server.Register(root);
  client->Register(root);
  server.ExtendAuditVerify(*root.get_subcommand("audit")->get_subcommand("verify"));
  p402::cli::InstallOverview(root);
  if (arguments.size() < 2) {
    p402::app::WriteErr(root.help());
    return p402::app::kUsage;
  }
  try {
    auto words = p402::cli::CommandWords(arguments);
    std::ranges::reverse(words);  // as the parser wants them
    root.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return root.exit(error);  // prints a help or the version
    p402::app::WriteErr(p402::cli::DescribeUsageError(root, error));
    return p402::app::kUsage;
  }
  if (const auto code = server.Run()) return *code;
  return client->Run().value_or(p402::app::kUsage);
}

}  // namespace

int main(int argc, char** argv) {
  p402::app::HardenProcess();
  const std::span<const char* const> arguments(argv, static_cast<size_t>(argc));
  if (p402::cli::RefuseRawKeys(arguments)) return p402::app::kUsage;
  return ParseAndRun(arguments);
}
