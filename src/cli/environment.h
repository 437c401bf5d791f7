#pragma once

#include <array>
#include <string>
#include <string_view>

namespace p402::cli {

struct Variable {
  std::string_view name;
  std::string_view meaning;
};

// The environment of the commands that talk to a server, as help and manual page tell of it.
inline constexpr std::array<Variable, 4> kVariables = {{
    {"P402_URL", "Address of the server, default http://127.0.0.1:4020"},
    {"P402_API_KEY", "The raw key to use; it is never taken from an argument"},
    {"P402_CA_FILE", "Certificates to trust instead of the system's, PEM"},
    {"NO_COLOR", "If it is not empty, nothing is coloured"},
}};

// "Environment:" and a line for each variable, for the end of a help.
std::string EnvironmentHelp();

}  // namespace p402::cli
