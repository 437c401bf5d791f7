#pragma once

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace p402::cli {

// The completion script of `shell`: "bash", "zsh", and anything else is fish.
std::string RenderCompletion(std::string_view shell, const CLI::App& root);

}  // namespace p402::cli
