#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace p402::key {

// The JSON object `json` (RFC 8259) as a record keeps it: without white space, members in their
// order. As over HTTP, where it is a field of the body, it may be limits::kJsonDepth - 1 levels deep.
// Errors: kInvalidArgument, field "metadata": anything else, a name twice in one object, or more
//         than limits::kMetadataBytes afterwards.
Result<std::string> CompactMetadata(std::string_view json);

}  // namespace p402::key
