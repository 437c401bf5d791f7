#include "key/digest.h"

// EVP_DigestInit_ex2 of OpenSSL 3.0 allocates for every digest, also in a context that is used
// again; these calls do not, and take two thirds of the time. OpenSSL calls them deprecated because
// they do not ask its providers.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <charconv>

#include "base/check.h"

namespace p402::key {

Digest DigestOf(std::string_view bytes) {
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
