#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/cli.h"
#include "cli/environment.h"
#include "cli/help_tree.h"

namespace p402::cli {
namespace {

constexpr size_t kColumn = 26;

class Overview final : public CLI::Formatter {
 public:
  // Every command that does something, instead of the groups alone.
  std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode) const override {
    std::string out = "\nCommands:\n";
    for (const auto& command : HelpTree(*app)) {
      if (command.path.empty() || !command.children.empty()) continue;
      out += fmt::format("  {:<{}}{}\n", UsageOf(command), kColumn, command.description);
      out += fmt::format("  {:<{}}$ {}\n", "", kColumn, command.example);
    }
    return out;
  }
};

}  // namespace

std::vector<std::string> CommandWords(std::span<const char* const> argv) {
  std::vector<std::string> words(argv.begin() + 1, argv.end());
  if (words.empty() || words.front() != "help") return words;
  words.erase(words.begin());
  words.emplace_back("--help");
  return words;
}

void InstallOverview(CLI::App& root) {
  root.formatter(std::make_shared<Overview>());
  root.footer(EnvironmentHelp() + "\n\n" + root.get_footer());
}

}  // namespace p402::cli
