#include "cli/command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <span>

#include "cli/environment.h"

namespace p402::cli {

CLI::App& AddCommand(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& example) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->footer("Example:\n  " + example);
  return *command;
}

CLI::App& AddGroup(CLI::App& parent, const std::string& name, const std::string& description,
                   const std::string& example) {
  CLI::App& group = AddCommand(parent, name, description, example);
  group.require_subcommand(1);
  return group;
}

void AddCommon(CLI::App& command, Common& common) {
  command
      .add_option("--server", common.server,
                  "Address of the server, default http://127.0.0.1:4020 (environment: P402_URL)")
      ->type_name("URL");
  command
      .add_option("--ca-file", common.ca_file,
                  "Certificates to trust, PEM, default the system's (environment: P402_CA_FILE)")
      ->type_name("FILE");
  command.add_flag("--json", common.is_json, "Print the server's JSON answer");
  command.footer(command.get_footer() + "\n\n" + EnvironmentHelp());
}

CLI::Validator NumberFrom(int least, int most) {
  const auto check = [least, most](const std::string& text) {
    int number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    const bool is_good = error == std::errc() && stop == end && number >= least && number <= most;
    return is_good ? "" : fmt::format("must be a number from {} to {}", least, most);
  };
  return {check, ""};
}

CLI::Validator OneOf(const std::vector<std::string>& words) {
  const auto all_but_last = std::span(words).first(words.size() - 1);
  const auto choice = fmt::format("must be {} or {}", fmt::join(all_but_last, ", "), words.back());
  const auto check = [words, choice](const std::string& text) {
    return std::ranges::find(words, text) == words.end() ? choice : "";
  };
  return {check, ""};
}

int Complain(const Process& process, std::string_view message, int code) {
  process.console.Err(fmt::format("p402: {}\n", message));
  return code;
}

}  // namespace p402::cli
