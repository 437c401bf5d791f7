#include "cli/manual.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/environment.h"
#include "cli/help_tree.h"

namespace p402::cli {
namespace {

// Text as roff: what would be a request or an escape is neutralised, hyphens stay hyphens.
std::string Roff(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool starts_line = i == 0 || text[i - 1] == '\n';
    if (starts_line && (text[i] == '.' || text[i] == '\'')) out += "\\&";
    if (text[i] == '\\') {
      out += "\\e";
    } else if (text[i] == '-') {
      out += "\\-";
    } else if (text.substr(i).starts_with("…")) {
      out += "...";
      i += std::string_view("…").size() - 1;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string SynopsisOf(const HelpCommand& command) {
  std::string line = fmt::format("\\fBp402 {}\\fR", Roff(JoinPath(command.path)));
  for (const auto& option : command.options) {
    if (option.is_argument) line += fmt::format(" \\fI{}\\fR", Roff(option.names));
  }
  return line + " [\\fIoptions\\fR]";
}

std::string OptionsOf(const HelpCommand& command) {
  std::string out;
  for (const auto& option : command.options) {
    if (option.names.starts_with("-h")) continue;
    std::string head = fmt::format("\\fB{}\\fR", Roff(option.names));
    if (option.is_argument) head = fmt::format("\\fI{}\\fR", Roff(option.names));
    if (!option.is_argument && !option.type_name.empty()) {
      head += fmt::format(" \\fI{}\\fR", Roff(option.type_name));
    }
    out += fmt::format(".TP\n{}\n{}", head, Roff(option.description));
    if (!option.environment.empty()) {
      out += fmt::format(" (environment: {})", Roff(option.environment));
    }
    out += '\n';
  }
  return out;
}

std::string EnvironmentSection() {
  std::string out = ".SH ENVIRONMENT\n";
  for (const auto& variable : kVariables) {
    out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", variable.name, Roff(variable.meaning));
  }
  return out;
}

constexpr std::string_view kEnding = R"(.SH FILES
.TP
\fI~/.config/p402/config.toml\fR
url, api_key and ca_file, used where neither an option nor the environment says otherwise. It
must have mode 0600. $XDG_CONFIG_HOME is respected.
.SH EXIT STATUS
.TP
0
done
.TP
1
refused by the server
.TP
2
wrong usage
.TP
3
the server cannot be reached
)";

}  // namespace

std::string RenderManual(const CLI::App& root) {
  const auto tree = HelpTree(root);
  std::string out = fmt::format(
      ".\\\" Made by: p402 manual\n.TH P402 1 \"\" \"p402 {}\" \"P402 Keys\"\n.SH NAME\n"
      "p402 \\- {}\n.SH SYNOPSIS\n\\fBp402\\fR \\fIcommand\\fR [\\fIoptions\\fR]\n.br\n"
      "\\fBp402 help\\fR [\\fIcommand\\fR]\n.SH COMMANDS\n",
      P402_VERSION, Roff(tree[0].description));
  for (const auto& command : tree) {
    if (command.path.empty() || !command.children.empty()) continue;
    out += fmt::format(".SS {}\n{}.\n", SynopsisOf(command), Roff(command.description));
    out += OptionsOf(command);
    out += fmt::format(".PP\nExample:\n.PP\n.nf\n.RS\n{}\n.RE\n.fi\n", Roff(command.example));
  }
  return out + EnvironmentSection() + std::string(kEnding);
}

void RegisterManual(CLI::App& root, Context& context) {
  auto& command = AddCommand(root, "manual", "Print the manual page, in roff",
                             "p402 manual > packaging/p402.1");
  command.group("");  // for those who build packages
  command.callback([&context, &root] {
    context.chosen = [&context, &root] {
      context.process.console.Out(RenderManual(root));
      return kDone;
    };
  });
}

}  // namespace p402::cli
