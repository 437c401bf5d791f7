#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/check.h"

namespace p402 {

// Writes text into room of a known size: what is written often, piece by piece, costs no more than
// its copy.
// Lifetime: within the room's.
class Pen {
 public:
  explicit Pen(std::span<char> room)
      : begin_(room.data()), at_(begin_), end_(begin_ + room.size()) {}

  // Requires, of all that write: there is room for it.
  void Text(std::string_view text) {
    char* const at = Take(text.size());
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
  }
  void Character(char c) { *Take(1) = c; }
  void Number(uint64_t number) {
    const auto [at, error] = std::to_chars(at_, end_, number);
    P402_CHECK(error == std::errc());
    at_ = at;
  }
  // The next `size` bytes, for the caller to fill.
  char* Take(size_t size) {
    P402_CHECK(size <= static_cast<size_t>(end_ - at_));
    char* const at = at_;
    at_ += size;
    return at;
  }
  size_t size() const { return static_cast<size_t>(at_ - begin_); }

 private:
  char* begin_;
  char* at_;
  char* end_;
};

}  // namespace p402
