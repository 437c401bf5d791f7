#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"
#include "key/metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto compact = p402::key::CompactMetadata(text);
  if (!compact) return 0;
  P402_CHECK(compact->starts_with('{') && compact->ends_with('}'));
  P402_CHECK(compact->size() <= p402::limits::kMetadataBytes);
  P402_CHECK(p402::IsValidUtf8(*compact));
  const auto again = p402::key::CompactMetadata(*compact);
  P402_CHECK(again && *again == *compact);
  return 0;
}
