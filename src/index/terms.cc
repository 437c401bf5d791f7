#include "index/terms.h"

#include <boost/container_hash/hash.hpp>
#include <cstring>
#include <functional>

namespace p402::index {

size_t Terms::Hash::operator()(const Wanted& wanted) const {
  const auto& uuid = wanted.account.uuid;
  size_t seed = std::hash<std::string_view>()(wanted.scopes);
  boost::hash_combine(seed, std::hash<std::string_view>()(
                                {reinterpret_cast<const char*>(uuid.data()), uuid.size()}));
  return seed;
}

std::string_view Terms::ScopesOf(uint32_t number) const {
  const uint32_t reference = rows_[number].scopes;
  if (reference == 0) return {};
  const std::byte* bytes = arena_.At(reference);
  uint32_t size = 0;
  std::memcpy(&size, bytes, sizeof size);
  return {reinterpret_cast<const char*>(bytes) + sizeof size, size};
}

uint32_t Terms::Use(const key::AccountId& account, std::string_view scopes) {
  const auto known = numbers_.find(Wanted{account, scopes});
  if (known != numbers_.end()) {
    ++rows_[*known].cells;
    return *known;
  }
  uint32_t number = 0;
  if (free_.empty()) {
    number = rows_.Append();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  uint32_t reference = 0;
  if (!scopes.empty()) {
    const auto size = static_cast<uint32_t>(scopes.size());
    reference = arena_.Allocate(sizeof size + size);
    std::memcpy(arena_.At(reference), &size, sizeof size);
    std::memcpy(arena_.At(reference) + sizeof size, scopes.data(), size);
    text_bytes_ += sizeof size + size;
  }
  rows_[number] = {.account = account, .scopes = reference, .cells = 1};
  numbers_.insert(number);
  return number;
}

bool Terms::Drop(uint32_t number) {
  if (--rows_[number].cells > 0) return false;
  numbers_.erase(number);
  return true;
}

void Terms::Free(uint32_t number) {
  if (rows_[number].scopes != 0) {
    const size_t bytes = sizeof(uint32_t) + ScopesOf(number).size();
    text_bytes_ -= bytes;
    arena_.Free(rows_[number].scopes, bytes);
  }
  free_.push_back(number);
}

void Terms::Clear() {
  numbers_.clear();
  free_.clear();
  rows_.Clear();
  text_bytes_ = 0;
}

size_t Terms::bytes() const {
  return rows_.bytes() + text_bytes_ + numbers_.bucket_count() * sizeof(uint32_t);
}

}  // namespace p402::index
