#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace p402::cli {

struct HelpOption {
  std::string names;      // "--yes,-y"; of an argument "NAME"
  std::string type_name;  // empty for a flag
  std::string description;
  std::string environment;  // the variable that means the same; empty: none
  bool is_argument = false;
  bool is_required = false;
};

// One command of the help: what completion and the manual page are made of.
struct HelpCommand {
  std::vector<std::string> path;  // {"keys", "create"}; empty for the program itself
  std::string description;
  std::string example;
  std::vector<HelpOption> options;
  std::vector<size_t> children;  // indices into the tree
};

// Every visible command in the order of the help, the program itself first.
std::vector<HelpCommand> HelpTree(const CLI::App& root);

// "keys create NAME".
std::string UsageOf(const HelpCommand& command);
std::string JoinPath(const std::vector<std::string>& path);

}  // namespace p402::cli
