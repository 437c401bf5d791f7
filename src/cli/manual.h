#pragma once

#include <string>

namespace CLI {
class App;
}

namespace p402::cli {

// The manual page p402(1) in roff, made of the same help texts; the same input gives the same page.
std::string RenderManual(const CLI::App& root);

}  // namespace p402::cli
