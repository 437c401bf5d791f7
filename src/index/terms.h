#pragma once

#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <string_view>
#include <vector>

#include "index/arena.h"
#include "index/directory.h"
#include "index/stable_array.h"
#include "key/ids.h"

namespace p402::index {

// Numbers for what many keys have in common: their account together with a set of scopes, as
// ScopeSet::ToString writes it.
//
// Threads: AccountOf, ScopesOf: any, within a Pin, for a number that it found in a cell. Everything
// else: the one writer's.
class Terms {
 public:
  explicit Terms(Arena& arena);
  Terms(const Terms&) = delete;
  Terms& operator=(const Terms&) = delete;

  const key::AccountId& AccountOf(uint32_t number) const { return rows_[number].account; }
  std::string_view ScopesOf(uint32_t number) const;
  // The number of an account and a set, for one more cell. Never 0.
  uint32_t Use(const key::AccountId& account, std::string_view scopes);
  // One cell less. Returns true if it was the last: nobody finds the number any more, and the
  // caller calls Free when there is no reader either.
  bool Drop(uint32_t number);
  void Free(uint32_t number);
  // Forgets all of them; the arena's owner frees the texts.
  // Requires: no reader.
  void Clear();
  size_t bytes() const;
  size_t text_bytes() const { return text_bytes_; }  // of these, in the arena

 private:
  struct Row {
    key::AccountId account;
    uint32_t scopes = 0;  // in the arena: a 32-bit length, and the text; 0: no scopes
    uint32_t cells = 0;   // the writer's
  };
  struct Wanted {
    key::AccountId account;
    std::string_view scopes;
  };
  Wanted At(uint32_t number) const { return {AccountOf(number), ScopesOf(number)}; }
  // SHA-256 with a random start: tenants choose their scopes, and must not be able to choose many that
  // fall on one place.
  struct Hash {
    using is_transparent = void;
    const Terms* terms;
    std::array<uint8_t, 16> salt;
    size_t operator()(const Wanted& wanted) const;
    size_t operator()(uint32_t number) const { return (*this)(terms->At(number)); }
  };
  struct Same {
    using is_transparent = void;
    const Terms* terms;
    bool operator()(uint32_t a, uint32_t b) const { return a == b; }
    bool operator()(const Wanted& wanted, uint32_t number) const {
      const Wanted there = terms->At(number);
      return wanted.account == there.account && wanted.scopes == there.scopes;
    }
    bool operator()(uint32_t number, const Wanted& wanted) const { return (*this)(wanted, number); }
  };

  // Most keys have the terms of one of the last: no hash for them.
  static constexpr size_t kRecent = 256;
  uint32_t& RecentFor(const Wanted& wanted);

  Arena& arena_;
  StableArray<Row, Directory::kMaxCells> rows_;
  boost::unordered_flat_set<uint32_t, Hash, Same> numbers_;
  std::array<uint32_t, kRecent> recent_{};
  std::vector<uint32_t> free_;
  size_t text_bytes_ = 0;
};

}  // namespace p402::index
