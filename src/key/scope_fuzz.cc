#include "base/check.h"
#include "key/scope.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto set = p402::key::ScopeSet::ParseText(text)) {
    P402_CHECK(p402::key::ScopeSet::ParseText(set->ToString()) == *set);
    P402_CHECK(set->Includes(*set));
  }
  return 0;
}
