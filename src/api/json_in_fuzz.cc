#include <cstddef>
#include <cstdint>

#include "api/json_in.h"
#include "base/check.h"
#include "base/text.h"

// Bodies: whatever is taken comes back the same through its own compact text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using p402::api::JsonBody;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto body = JsonBody::Parse(text);
  if (!body) {
    P402_CHECK(p402::IsValidUtf8(body.error().public_message));
    return 0;
  }
  const std::string canonical = body->Canonical();
  P402_CHECK(p402::IsValidUtf8(canonical));
  const auto again = JsonBody::Parse(canonical);
  P402_CHECK(again.has_value());
  P402_CHECK(again->Canonical() == canonical);
  for (const std::string_view name : {"name", "key", "scopes", "metadata", "expires_at", "grace"}) {
    (void)body->Text(name).has_value();
    (void)body->Texts(name).has_value();
    (void)body->Bool(name).has_value();
    (void)body->Time(name).has_value();
    (void)body->Duration(name).has_value();
    const auto object = body->Object(name);
    P402_CHECK(!object || !*object || JsonBody::Parse(**object).has_value());
  }
  (void)body->AllowOnly("name mode scopes").has_value();
  return 0;
}
