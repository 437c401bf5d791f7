#include "cli/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/command.h"
#include "cli/help_tree.h"

namespace p402::cli {
namespace {

// The first long name: "--yes" of "--yes,-y".
std::vector<std::string> NamesOf(const HelpOption& option) {
  std::vector<std::string> names;
  size_t from = 0;
  while (from <= option.names.size()) {
    const size_t to = std::min(option.names.find(',', from), option.names.size());
    names.push_back(option.names.substr(from, to - from));
    from = to + 1;
  }
  return names;
}

// Text between single quotes of bash and zsh.
std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// Text between single quotes of fish.
std::string FishQuoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::vector<std::string> WordsOf(const HelpCommand& command, const std::vector<HelpCommand>& tree) {
  std::vector<std::string> words;
  for (const size_t child : command.children) words.push_back(tree[child].path.back());
  for (const auto& option : command.options) {
    if (!option.is_argument) words.push_back(NamesOf(option).front());
  }
  return words;
}

// The words that lead from one command to another: "keys", "keys create".
std::vector<std::string> PathsOf(const std::vector<HelpCommand>& tree) {
  std::vector<std::string> paths;
  for (const auto& command : tree) {
    if (!command.path.empty()) paths.push_back(Quoted(JoinPath(command.path)));
  }
  return paths;
}

std::string Bash(const std::vector<HelpCommand>& tree) {
  std::string out =
      "# bash completion of p402: source it, or put it into /etc/bash_completion.d/p402\n"
      "_p402() {\n"
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" at='' next i\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    next=\"${at:+$at }${COMP_WORDS[i]}\"\n"
      "    case \"$next\" in\n";
  out += fmt::format("      {}) at=\"$next\" ;;\n", fmt::join(PathsOf(tree), "|"));
  out += "    esac\n  done\n  case \"$at\" in\n";
  for (const auto& command : tree) {
    out += fmt::format("    {}) COMPREPLY=($(compgen -W {} -- \"$current\")) ;;\n",
                       Quoted(JoinPath(command.path)),
                       Quoted(fmt::format("{}", fmt::join(WordsOf(command, tree), " "))));
  }
  return out + "  esac\n}\ncomplete -o default -F _p402 p402\n";
}

std::string ZshEntry(std::string_view word, std::string_view description) {
  std::string text;
  for (const char c : word) text += c == ':' ? std::string("\\:") : std::string(1, c);
  return Quoted(fmt::format("{}:{}", text, description));
}

std::string Zsh(const std::vector<HelpCommand>& tree) {
  std::string out =
      "#compdef p402\n"
      "# zsh completion of p402: put it as _p402 into a folder of $fpath\n"
      "_p402() {\n"
      "  local at='' next i\n"
      "  local -a entries\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    next=\"${at:+$at }${words[i]}\"\n"
      "    case \"$next\" in\n";
  out += fmt::format("      {}) at=\"$next\" ;;\n", fmt::join(PathsOf(tree), "|"));
  out += "    esac\n  done\n  case \"$at\" in\n";
  for (const auto& command : tree) {
    std::vector<std::string> entries;
    for (const size_t child : command.children) {
      entries.push_back(ZshEntry(tree[child].path.back(), tree[child].description));
    }
    for (const auto& option : command.options) {
      if (!option.is_argument) {
        entries.push_back(ZshEntry(NamesOf(option).front(), option.description));
      }
    }
    out += fmt::format("    {}) entries=({}) ;;\n", Quoted(JoinPath(command.path)),
                       fmt::join(entries, " "));
  }
  return out +
         "  esac\n"
         "  _describe 'p402' entries || _files\n"
         "}\n"
         "if [ \"$funcstack[1]\" = _p402 ]; then _p402 \"$@\"; else compdef _p402 p402; fi\n";
}

std::string Fish(const std::vector<HelpCommand>& tree) {
  std::string out =
      "# fish completion of p402: put it into ~/.config/fish/completions/p402.fish\n"
      "function __p402_at\n"
      "    set -l at ''\n"
      "    for word in (commandline -opc)[2..-1]\n"
      "        set -l next (string trim -- \"$at $word\")\n"
      "        switch $next\n";
  out += fmt::format("            case {}\n                set at $next\n",
                     fmt::join(PathsOf(tree), " "));
  out += "        end\n    end\n    test \"$at\" = \"$argv[1]\"\nend\ncomplete -c p402 -f\n";
  for (const auto& command : tree) {
    const std::string where = FishQuoted(fmt::format("__p402_at \"{}\"", JoinPath(command.path)));
    for (const size_t child : command.children) {
      out += fmt::format("complete -c p402 -n {} -a {} -d {}\n", where, tree[child].path.back(),
                         FishQuoted(tree[child].description));
    }
    for (const auto& option : command.options) {
      if (option.is_argument) continue;
      out += fmt::format("complete -c p402 -n {} -l {}{} -d {}\n", where,
                         NamesOf(option).front().substr(2),
                         option.type_name.empty() ? "" : " -r -F", FishQuoted(option.description));
    }
  }
  return out;
}

}  // namespace

std::string RenderCompletion(std::string_view shell, const CLI::App& root) {
  const auto tree = HelpTree(root);
  if (shell == "bash") return Bash(tree);
  if (shell == "zsh") return Zsh(tree);
  return Fish(tree);
}

void RegisterCompletion(CLI::App& root, Context& context) {
  auto& command = AddCommand(root, "completion", "Print the completion script of a shell",
                             "source <(p402 completion bash)");
  auto shell = std::make_shared<std::string>();
  command.add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(OneOf({"bash", "zsh", "fish"}))
      ->type_name("");
  command.callback([&context, &root, shell] {
    context.chosen = [&context, &root, shell] {
      context.process.console.Out(RenderCompletion(*shell, root));
      return kDone;
    };
  });
}

}  // namespace p402::cli
