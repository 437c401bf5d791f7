#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace p402::bench {

// The text of a request that differs only in one item of a fixed length (a raw key, an id): so a
// request costs one copy, and Content-Length stays right.
class RequestTemplate {
 public:
  static constexpr std::string_view kPlace = "{item}";

  // `text` is a whole request, as it is sent, with at most one kPlace. nullopt: it has two.
  static std::optional<RequestTemplate> Parse(std::string_view text, size_t item_size);

  bool has_item() const { return has_item_; }
  // The text with room for the item: each connection has a copy.
  const std::string& text() const { return text_; }
  // Puts `item` into a copy. Requires: `copy` came from text(); `item` has the size given to Parse.
  void Fill(std::string& copy, std::string_view item) const;

 private:
  std::string text_;
  size_t place_ = 0;
  bool has_item_ = false;
};

}  // namespace p402::bench
