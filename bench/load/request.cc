#include "bench/load/request.h"

#include <algorithm>

namespace p402::bench {

std::optional<RequestTemplate> RequestTemplate::Parse(std::string_view text, size_t item_size) {
  RequestTemplate made;
  made.text_ = text;
  const size_t at = text.find(kPlace);
  if (at == std::string_view::npos) return made;
  if (text.find(kPlace, at + 1) != std::string_view::npos) return std::nullopt;
  made.has_item_ = true;
  made.place_ = at;
  made.text_.replace(at, kPlace.size(), item_size, '-');
  return made;
}

void RequestTemplate::Fill(std::string& copy, std::string_view item) const {
  if (has_item_) std::ranges::copy(item, copy.begin() + static_cast<ptrdiff_t>(place_));
}

}  // namespace p402::bench
