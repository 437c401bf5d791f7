#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace p402::key {

// SHA-256 (FIPS 180-4). Of a raw key: the only form that is ever stored.
using Digest = std::array<uint8_t, 32>;

// Computes digests with a fetched EVP_MD and a reused context (three times the one-shot call's
// speed). Threads: one at a time; each thread has its own.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  Digest Hash(std::string_view bytes);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The same, as fast as it can be for what fits a block of SHA-256, like a raw key; for longer texts
// with a hasher of the calling thread's. Threads: safe to call concurrently.
Digest DigestOf(std::string_view bytes);

std::string ToHex(std::span<const uint8_t> bytes);

}  // namespace p402::key
