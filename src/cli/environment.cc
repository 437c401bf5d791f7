#include "cli/environment.h"

#include <fmt/format.h>

namespace p402::cli {

std::string EnvironmentHelp() {
  std::string text = "Environment:";
  for (const auto& variable : kVariables) {
    text += fmt::format("\n  {:<26}{}", variable.name, variable.meaning);
  }
  return text +
         "\n\nWithout the variables, url, api_key and ca_file of ~/.config/p402/config.toml "
         "(mode 0600) count.";
}

}  // namespace p402::cli
