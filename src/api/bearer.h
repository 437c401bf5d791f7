#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/message.h"

namespace p402::api {

// What a request presents as its credential.
struct Presented {
  bool is_present = false;  // false: there is nothing that could be one
  // The raw key as it was sent; empty for an Authorization of another scheme, which is no key of
  // ours and counts as a failed one.
  // Lifetime: the request's.
  std::string_view token = {};
};

enum class ApiKeyHeader : uint8_t {
  kIgnored,   // the management API knows Authorization alone, and refuses both
  kAccepted,  // /authz: X-API-Key as well, never together
};

// A query parameter is never looked at.
// Errors: kInvalidArgument for a header that is there twice, or for both at once.
Result<Presented> ReadPresented(const net::Request& request, ApiKeyHeader api_key_header);

// The Idempotency-Key header (A10): as it is, or as a quoted structured-field string. nullopt:
// none.
// Errors: kInvalidArgument if it is there twice, empty, over limits::kIdempotencyKeyBytes, or has
// other than visible ASCII characters and spaces.
Result<std::optional<std::string>> ReadIdempotencyKey(const net::Request& request);

// True if a Prefer header asks for respond-async (RFC 7240).
bool PrefersAsync(const net::Request& request);

// Errors: kInvalidArgument, reason "unsupported_media_type", unless the request says that its body
// is JSON in UTF-8 without a content coding; merge-patch+json too if `is_patch`.
Status CheckContentType(const net::Request& request, bool is_patch);

}  // namespace p402::api
