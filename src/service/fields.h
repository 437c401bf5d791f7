#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/result.h"

// The limits of what a request may hold (A1).
// Errors: kInvalidArgument with the field's name and the limit in the public message.
namespace p402::service {

Status CheckName(std::string_view name, size_t max_characters);
Status CheckOwner(std::string_view owner);
Status CheckMetadata(std::string_view metadata);
Status CheckReason(std::string_view reason);
Status CheckIdempotencyKey(std::string_view idempotency_key);
Status CheckGrace(Millis grace);
Status CheckPageLimit(size_t limit);

}  // namespace p402::service
