#include "base/check.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string json;
  p402::AppendJsonString(json, text);
  P402_CHECK(p402::IsValidUtf8(json) && !p402::HasControlCharacter(json));
  if (p402::IsValidUtf8(text)) P402_CHECK(p402::CountCodePoints(text) <= size);
  std::string decoded;
  P402_CHECK(p402::PercentDecode(p402::PercentEncode(text), decoded) && decoded == text);
  (void)p402::PercentDecode(text, decoded);
  return 0;
}
