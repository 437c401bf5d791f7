#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/limits.h"
#include "key/scope.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto set = p402::key::ScopeSet::ParseText(text);
  if (!set) return 0;
  const auto again = p402::key::ScopeSet::ParseText(set->ToString());
  P402_CHECK(again && again->values() == set->values());
  P402_CHECK(set->ToString().size() <= p402::limits::kScopesBytes);
  P402_CHECK(std::is_sorted(set->values().begin(), set->values().end()));
  P402_CHECK(set->Includes(*set));
  for (const auto& scope : set->values()) P402_CHECK(set->Covers(scope));
  const auto star = p402::key::ScopeSet::ParseText("*");
  P402_CHECK(star && star->Includes(*set));
  P402_CHECK(set->Includes(*star) == set->Covers("*"));
  return 0;
}
