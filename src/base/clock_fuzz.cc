#include "base/check.h"
#include "base/clock.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto time = p402::ParseRfc3339(text)) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(*time);
    P402_CHECK(p402::ParseRfc3339(p402::FormatRfc3339(*time)) == whole);
  }
  if (const auto duration = p402::ParseDuration(text)) P402_CHECK(duration->count() >= 0);
  return 0;
}
