#pragma once

#include "base/typeid.h"

namespace p402::key {

using KeyId = TypedId<"key">;
using AccountId = TypedId<"acct">;

}  // namespace p402::key
