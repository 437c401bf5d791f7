#define OPENSSL_SUPPRESS_DEPRECATED  // see DigestOfBlock

#include "key/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace p402::key {
namespace {

constexpr size_t kBlockText = 55;  // the most that fits a block beside the padding

// SHA-256 of a text that fits one block, padded here, by OpenSSL's block function. A third of the
// time that the EVP functions take around the same instructions; OpenSSL 3 calls it deprecated, not
// wrong.
Digest DigestOfBlock(std::string_view bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::array<uint8_t, SHA256_CBLOCK> block{};
  std::copy(bytes.begin(), bytes.end(), block.begin());
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
  if (bytes.size() <= kBlockText) return DigestOfBlock(bytes);
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

}  // namespace p402::key
