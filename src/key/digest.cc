#include "key/digest.h"

// EVP_DigestInit_ex2 of OpenSSL 3.0 allocates for every digest, also in a context that is used
// again; these calls do not, and take a third of the time around the same instructions. OpenSSL
// calls them deprecated because they do not ask its providers.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <bit>
#include <charconv>
#include <cstring>

#include "base/check.h"

namespace p402::key {
namespace {

constexpr size_t kBlockText = 55;  // the most that fits a block beside the padding

// SHA-256 of a text that fits one block, like a raw key: padded here, by OpenSSL's block function.
Digest DigestOfBlock(std::string_view bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::array<uint8_t, SHA256_CBLOCK> block{};
  if (!bytes.empty()) std::memcpy(block.data(), bytes.data(), bytes.size());
  block[bytes.size()] = 0x80;
  const size_t bits = bytes.size() * 8;
  block[62] = static_cast<uint8_t>(bits >> 8);
  block[63] = static_cast<uint8_t>(bits);
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Transform(&state, block.data());
  OPENSSL_cleanse(block.data(), block.size());
  Digest digest;
  for (size_t i = 0; i < 4; ++i) {
    const uint64_t pair =
        __builtin_bswap64(uint64_t{state.h[2 * i]} << 32 | uint64_t{state.h[2 * i + 1]});
    std::memcpy(digest.data() + i * sizeof pair, &pair, sizeof pair);
  }
  return digest;
}

}  // namespace

Digest DigestOf(std::string_view bytes) {
  if (bytes.size() <= kBlockText) return DigestOfBlock(bytes);
  Digest digest;
  SHA256_CTX context;
  const bool is_done = SHA256_Init(&context) == 1 &&
                       SHA256_Update(&context, bytes.data(), bytes.size()) == 1 &&
                       SHA256_Final(digest.data(), &context) == 1;  // also wipes the bytes
  P402_CHECK(is_done);
  return digest;
}

std::string ToHex(std::span<const uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (uint8_t byte : bytes) text += {kDigits[byte >> 4], kDigits[byte & 15]};
  return text;
}

std::optional<Digest> ParseDigest(std::string_view hex) {
  Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (size_t i = 0; i < digest.size(); ++i) {
    const char* at = hex.data() + 2 * i;
    const auto [stop, error] = std::from_chars(at, at + 2, digest[i], 16);
    if (error != std::errc() || stop != at + 2) return std::nullopt;
  }
  return digest;
}

}  // namespace p402::key
