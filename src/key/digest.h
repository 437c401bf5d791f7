#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace p402::key {

// SHA-256 (FIPS 180-4). Of a raw key: the only form that is ever stored.
using Digest = std::array<uint8_t, 32>;

// SHA-256 of `bytes`.
// Threads: safe to call concurrently. Cost: no allocation.
Digest DigestOf(std::string_view bytes);

std::string ToHex(std::span<const uint8_t> bytes);
// Errors: nullopt unless it is 64 hexadecimal digits, in either case.
std::optional<Digest> ParseDigest(std::string_view hex);

}  // namespace p402::key
