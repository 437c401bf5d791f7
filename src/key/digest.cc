#include "key/digest.h"

#include <openssl/evp.h>

#include <charconv>

#include "base/check.h"

namespace p402::key {

struct Hasher::Impl {
  EVP_MD* algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
};

Hasher::Hasher() : impl_(std::make_unique<Impl>()) {
  P402_CHECK(impl_->algorithm != nullptr && impl_->context != nullptr);
}

Hasher::~Hasher() {
  EVP_MD_CTX_free(impl_->context);  // also wipes it
  EVP_MD_free(impl_->algorithm);
}

Digest Hasher::Hash(std::string_view bytes) {
  Digest digest;
  unsigned size = 0;
  const bool is_done = EVP_DigestInit_ex2(impl_->context, impl_->algorithm, nullptr) == 1 &&
                       EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size()) == 1 &&
                       EVP_DigestFinal_ex(impl_->context, digest.data(), &size) == 1;
  P402_CHECK(is_done && size == digest.size());
  return digest;
}

Digest DigestOf(std::string_view bytes) {
  thread_local Hasher hasher;
  return hasher.Hash(bytes);
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
