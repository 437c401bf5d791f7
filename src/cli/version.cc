#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/cli.h"
#include "cli/command.h"

namespace p402::cli {

std::string_view Version() {
  return P402_VERSION;
}

void RegisterVersion(CLI::App& root, Context& context) {
  auto& command =
      AddCommand(root, "version", "Print the version of this program", "p402 version --json");
  auto is_json = std::make_shared<bool>(false);
  command.add_flag("--json", *is_json, "Print it as JSON");
  command.callback([&context, is_json] {
    context.chosen = [&context, is_json] {
      context.process.console.Out(*is_json ? fmt::format("{{\"version\":\"{}\"}}\n", P402_VERSION)
                                           : fmt::format("p402 {}\n", P402_VERSION));
      return kDone;
    };
  });
}

}  // namespace p402::cli
