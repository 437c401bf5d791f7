#include "base/check.h"
#include "base/typeid.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto parts = p402::DecodeTypeId(text)) {
    P402_CHECK(p402::EncodeTypeId(parts->prefix, parts->uuid) == text);  // no aliases
  }
  return 0;
}
