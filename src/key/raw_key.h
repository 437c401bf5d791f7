#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace p402::key {

// Stored and sent: never renumber.
enum class Mode : uint8_t { kLive = 1, kTest = 2 };
std::string_view ModeName(Mode mode);  // "live", "test"
std::optional<Mode> ParseMode(std::string_view name);

// Errors: kInvalidArgument (field "brand") unless `brand` is 2 to 10 lower-case letters and digits.
Status CheckBrand(std::string_view brand);

// Makes a raw key (K1):
//
//   p402 _ live _ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx cccccc
//   brand  mode   32 uniform base62 characters     CRC-32 of brand, mode and random part, base62,
//   '0'-padded
//
// Each random character comes from one byte below 248 (4 × 62), by rejection (K2).
// The checksum covers the whole text before it, "p402_live_xxx…".
Secret GenerateRawKey(Random& random, std::string_view brand, Mode mode);

struct RawKeyParts {
  Mode mode;
  // Everything through the 6th random character: what lists show. Points into the parsed text.
  std::string_view prefix;
};
// Errors: nullopt unless `text` has the brand, a mode, the length, the alphabet and the right
// checksum (K3). Cost: no allocation.
std::optional<RawKeyParts> ParseRawKey(std::string_view text, std::string_view brand);

}  // namespace p402::key
