#include "base/base62.h"
#include "base/check.h"
#include "key/raw_key.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto parts = p402::key::ParseRawKey(text, "p402")) {
    P402_CHECK(size == 48 && parts->prefix == text.substr(0, 16));
  }
  // The same text with its checksum put right, so that what comes after the checksum is reached
  // too.
  if (size != 48) return 0;
  std::string right(text.substr(0, 42));
  right += p402::EncodeBase62(p402::Crc32(right), 6);
  if (const auto parts = p402::key::ParseRawKey(right, "p402")) {
    P402_CHECK(p402::IsBase62(right.substr(10)));
  }
  return 0;
}
