#include "index/terms.h"

#include <cstring>
#include <functional>
#include <string>

#include "base/random.h"
#include "key/digest.h"

namespace p402::index {

namespace {

std::array<uint8_t, 16> NewSalt() {
  std::array<uint8_t, 16> salt;
  SystemRandom().Fill(salt);
  return salt;
}

}  // namespace

Terms::Terms(Arena& arena) : arena_(arena), numbers_(0, Hash{this, NewSalt()}, Same{this}) {}

size_t Terms::Hash::operator()(const Wanted& wanted) const {
  std::string text(reinterpret_cast<const char*>(salt.data()), salt.size());
  text.append(reinterpret_cast<const char*>(wanted.account.uuid.data()), sizeof(Uuid));
  text.append(wanted.scopes);
  const key::Digest digest = key::DigestOf(text);
  size_t hash = 0;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

// May be any place: who comes there must be the same to count.
uint32_t& Terms::RecentFor(const Wanted& wanted) {
  const size_t place = std::hash<std::string_view>()(wanted.scopes) + wanted.account.uuid.back();
  return recent_[place % kRecent];
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
  const Wanted wanted{account, scopes};
  uint32_t& recent = RecentFor(wanted);
  if (recent != 0 && Same{this}(wanted, recent)) {
    ++rows_[recent].cells;
    return recent;
  }
  const auto known = numbers_.find(wanted);
  if (known != numbers_.end()) {
    recent = *known;
    ++rows_[recent].cells;
    return recent;
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
  recent = number;
  return number;
}

bool Terms::Drop(uint32_t number) {
  if (--rows_[number].cells > 0) return false;
  numbers_.erase(number);
  if (uint32_t& recent = RecentFor(At(number)); recent == number) recent = 0;
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
  recent_ = {};
  free_.clear();
  rows_.Clear();
  text_bytes_ = 0;
}

size_t Terms::bytes() const {
  return rows_.bytes() + text_bytes_ + numbers_.bucket_count() * sizeof(uint32_t);
}

}  // namespace p402::index
