#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/base62.h"
#include "base/limits.h"
#include "base/typeid.h"
#include "key/digest.h"

// The keys of a made-up store, each derived from a seed and its number, so that a load program can
// present millions of different ones without a file of secrets. They protect nothing.
namespace p402::bench {

// The raw key number `number`, in mode live: its 32 random characters are the bytes of
//
//   SHA-256("p402-bench-key <seed> <number>")     numbers in decimal, one space between
//
// each modulo 62 as a base62 character (0-9, A-Z, a-z); then the checksum of any raw key.
inline std::string RawKey(uint64_t seed, uint64_t number, std::string_view brand = "p402") {
  const key::Digest bytes =
      key::DigestOf("p402-bench-key " + std::to_string(seed) + " " + std::to_string(number));
  std::string text(brand);
  text += "_live_";
  for (const uint8_t byte : bytes) text += kBase62Alphabet[byte % 62];
  return text + EncodeBase62(Crc32(text), limits::kRawKeyChecksum);
}

// The id of key number `number`: a UUIDv7 of `first_ms` + `number` ms, so that ids ascend with the
// numbers, whose random bits are those of SHA-256("p402-bench-id <seed> <number>").
inline Uuid KeyUuid(uint64_t seed, uint64_t number, int64_t first_ms) {
  const key::Digest bytes =
      key::DigestOf("p402-bench-id " + std::to_string(seed) + " " + std::to_string(number));
  Uuid uuid;
  for (size_t i = 0; i < uuid.size(); ++i) uuid[i] = bytes[i];
  const auto ms = static_cast<uint64_t>(first_ms) + number;
  for (int i = 0; i < 6; ++i) uuid[i] = static_cast<uint8_t>(ms >> (40 - 8 * i));
  uuid[6] = static_cast<uint8_t>(0x70 | (uuid[6] & 0x0f));
  uuid[8] = static_cast<uint8_t>(0x80 | (uuid[8] & 0x3f));
  return uuid;
}

}  // namespace p402::bench
