#include "base/check.h"
#include "key/record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto record = p402::key::DecodeRecord(bytes)) {
    P402_CHECK(p402::key::EncodeRecord(*record) == bytes);  // one form only
  }
  return 0;
}
