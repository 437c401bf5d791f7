#include "cli/help_tree.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace p402::cli {
namespace {

constexpr std::string_view kExampleHeading = "Example:\n  ";

HelpOption DescribeOption(const CLI::Option& option) {
  const bool is_flag = option.get_items_expected_max() == 0;
  HelpOption out{.names = option.get_name(/*positional=*/false, /*all_options=*/true),
                 .type_name = is_flag ? "" : option.get_type_name(),
                 .description = option.get_description(),
                 .environment = option.get_envname(),
                 .is_argument = option.get_positional() && option.get_lnames().empty(),
                 .is_required = option.get_required()};
  if (out.is_argument) out.names = option.get_name(/*positional=*/true);
  return out;
}

size_t Append(const CLI::App& app, std::vector<std::string> path, std::vector<HelpCommand>& tree) {
  const size_t index = tree.size();
  tree.push_back({.path = path,
                  .description = app.get_description(),
                  .example = {},
                  .options = {},
                  .children = {}});
  std::string footer = app.get_footer();
  if (footer.starts_with(kExampleHeading)) footer.erase(0, kExampleHeading.size());
  footer.erase(std::min(footer.find("\n\n"), footer.size()));  // the environment
  tree[index].example = std::move(footer);
  for (const CLI::Option* option : app.get_options()) {
    tree[index].options.push_back(DescribeOption(*option));
  }
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (child->get_group().empty()) continue;  // hidden
    auto child_path = path;
    child_path.push_back(child->get_name());
    const size_t child_index = Append(*child, std::move(child_path), tree);
    tree[index].children.push_back(child_index);
  }
  return index;
}

}  // namespace

std::vector<HelpCommand> HelpTree(const CLI::App& root) {
  std::vector<HelpCommand> tree;
  Append(root, {}, tree);
  return tree;
}

std::string UsageOf(const HelpCommand& command) {
  std::string text = JoinPath(command.path);
  for (const auto& option : command.options) {
    if (option.is_argument) text += " " + option.names;
  }
  return text;
}

std::string JoinPath(const std::vector<std::string>& path) {
  std::string text;
  for (const auto& part : path) text += (text.empty() ? "" : " ") + part;
  return text;
}

}  // namespace p402::cli
