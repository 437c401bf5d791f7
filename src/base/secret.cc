#include "base/secret.h"

#include <openssl/crypto.h>

#include <utility>

namespace p402 {

void WipeString(std::string& text) noexcept {
  // The whole capacity: a string that shrank, or that moved out of its small buffer, leaves bytes
  // behind.
  OPENSSL_cleanse(text.data(), text.capacity());
  text.clear();
}

Secret::Secret(std::string&& text) : text_(text) {
  WipeString(text);
}

Secret Secret::CopyOf(std::string_view text) {
  return Secret(std::string(text));
}

Secret::Secret(Secret&& other) noexcept : text_(std::move(other.text_)) {
  other.Wipe();
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Wipe();
    text_ = std::move(other.text_);
    other.Wipe();
  }
  return *this;
}

Secret::~Secret() {
  Wipe();
}

bool Secret::EqualsConstantTime(std::string_view other) const {
  return text_.size() == other.size() &&
         CRYPTO_memcmp(text_.data(), other.data(), text_.size()) == 0;
}

void Secret::Wipe() noexcept {
  WipeString(text_);
}

}  // namespace p402
