#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace p402 {

// The only type that holds a raw key or another credential.
//
// Moves leave the source empty and wiped; the destructor wipes with OPENSSL_cleanse. It cannot be
// copied, printed or compared with `==`: use Reveal() where the text must leave,
// EqualsConstantTime() to compare.
class Secret {
 public:
  Secret() = default;
  // Takes over the bytes and wipes `text`.
  explicit Secret(std::string&& text);
  // Copies the bytes; the caller still owns (and wipes) its own copy.
  static Secret CopyOf(std::string_view text);

  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  // Lifetime: valid until this object is moved from, assigned or destroyed.
  std::string_view Reveal() const { return text_; }
  size_t size() const { return text_.size(); }
  bool empty() const { return text_.empty(); }

  // Cost: depends on the lengths only.
  bool EqualsConstantTime(std::string_view other) const;

 private:
  void Wipe() noexcept;
  std::string text_;
};

// Overwrites the bytes of `text` and empties it.
void WipeString(std::string& text) noexcept;

}  // namespace p402
