#include <cstddef>
#include <cstdint>
#include <string_view>

#include "app/config.h"
#include "base/check.h"

// A configuration file of anyone's: it is parsed and built into options, or refused.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view toml(reinterpret_cast<const char*>(data), size);
  auto config = p402::app::ParseConfig(toml);
  if (!config) return 0;
  const auto options = p402::app::BuildServeOptions(config->values, std::move(config->routes));
  if (!options) return 0;
  // What was accepted must be something that can be served.
  P402_CHECK(!options->node.listen.empty() && options->node.threads > 0);
  return 0;
}
