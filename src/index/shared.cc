#include "index/shared.h"

#include <cstring>
#include <functional>

namespace p402::index {

size_t Accounts::Hash::operator()(const key::AccountId& id) const {
  return std::hash<std::string_view>()(
      {reinterpret_cast<const char*>(id.uuid.data()), id.uuid.size()});
}

uint32_t Accounts::NumberOf(const key::AccountId& account) {
  const auto known = numbers_.find(account);
  if (known != numbers_.end()) return known->second;
  const uint32_t number = ids_.Append();
  ids_[number] = account;
  numbers_.emplace(account, number);
  return number;
}

void Accounts::Clear() {
  numbers_.clear();
  ids_.Clear();
}

size_t Accounts::bytes() const {
  return ids_.bytes() + numbers_.bucket_count() * sizeof(*numbers_.begin());
}

size_t ScopeSets::Hash::operator()(std::string_view text) const {
  return std::hash<std::string_view>()(text);
}

std::string_view ScopeSets::TextOf(uint32_t number) const {
  if (number == 0) return {};
  const std::byte* bytes = arena_.At(sets_[number].text);
  uint32_t size = 0;
  std::memcpy(&size, bytes, sizeof size);
  return {reinterpret_cast<const char*>(bytes) + sizeof size, size};
}

uint32_t ScopeSets::Use(std::string_view text) {
  if (text.empty()) return 0;
  const auto known = numbers_.find(text);
  if (known != numbers_.end()) {
    ++sets_[*known].cells;
    return *known;
  }
  uint32_t number = 0;
  if (free_.empty()) {
    number = sets_.Append();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  const auto size = static_cast<uint32_t>(text.size());
  const uint32_t reference = arena_.Allocate(sizeof size + size);
  std::memcpy(arena_.At(reference), &size, sizeof size);
  std::memcpy(arena_.At(reference) + sizeof size, text.data(), size);
  sets_[number] = {.text = reference, .cells = 1};
  numbers_.insert(number);
  text_bytes_ += sizeof size + size;
  return number;
}

bool ScopeSets::Drop(uint32_t number) {
  if (number == 0 || --sets_[number].cells > 0) return false;
  numbers_.erase(number);
  return true;
}

void ScopeSets::Free(uint32_t number) {
  const size_t bytes = sizeof(uint32_t) + TextOf(number).size();
  text_bytes_ -= bytes;
  arena_.Free(sets_[number].text, bytes);
  free_.push_back(number);
}

void ScopeSets::Clear() {
  numbers_.clear();
  free_.clear();
  sets_.Clear();
  text_bytes_ = 0;
}

size_t ScopeSets::bytes() const {
  return sets_.bytes() + text_bytes_ + numbers_.bucket_count() * sizeof(uint32_t);
}

}  // namespace p402::index
