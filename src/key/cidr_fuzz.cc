#include "base/check.h"
#include "key/cidr.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto address = p402::key::IpAddress::Parse(text)) {
    P402_CHECK(p402::key::IpAddress::Parse(address->ToString()) == *address);
  }
  if (const auto cidr = p402::key::Cidr::Parse(text)) {
    P402_CHECK(cidr->Contains(cidr->network));
    const auto again = p402::key::Cidr::Parse(cidr->ToString());
    P402_CHECK(again && *again == *cidr);
  }
  return 0;
}
