#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <string_view>
#include <vector>

#include "index/arena.h"
#include "index/cell.h"
#include "index/stable_array.h"
#include "key/ids.h"

namespace p402::index {

// Numbers for accounts: many keys have the same one. An account stays until Clear().
//
// Threads: At: any, for a number that it found in a cell. Everything else: the one writer's.
class Accounts {
 public:
  uint32_t NumberOf(const key::AccountId& account);
  const key::AccountId& At(uint32_t number) const { return ids_[number]; }
  // Requires: no reader.
  void Clear();
  size_t bytes() const;

 private:
  struct Hash {
    size_t operator()(const key::AccountId& id) const;
  };
  StableArray<key::AccountId, Directory::kMaxCells> ids_;
  boost::unordered_flat_map<key::AccountId, uint32_t, Hash> numbers_;
};

// Numbers for sets of scopes, as ScopeSet::ToString writes them: many keys have the same one. Set 0
// is the empty one.
//
// Threads: TextOf: any, for a number that it found in a cell. Everything else: the one writer's.
class ScopeSets {
 public:
  explicit ScopeSets(Arena& arena) : arena_(arena), numbers_(0, Hash{this}, Same{this}) {}
  ScopeSets(const ScopeSets&) = delete;
  ScopeSets& operator=(const ScopeSets&) = delete;

  std::string_view TextOf(uint32_t number) const;
  // The number of a set, for one more cell.
  uint32_t Use(std::string_view text);
  // One cell less. Returns true if it was the last: nobody finds the set any more, and the caller
  // calls Free when there is no reader either.
  bool Drop(uint32_t number);
  void Free(uint32_t number);
  // Forgets every set; the arena's owner frees the texts.
  // Requires: no reader.
  void Clear();
  size_t bytes() const;
  size_t text_bytes() const { return text_bytes_; }  // of these, in the arena

 private:
  struct Set {
    uint32_t text = 0;   // in the arena: a 32-bit length, and the text
    uint32_t cells = 0;  // the writer's
  };
  struct Hash {
    using is_transparent = void;
    const ScopeSets* sets;
    size_t operator()(std::string_view text) const;
    size_t operator()(uint32_t number) const { return (*this)(sets->TextOf(number)); }
  };
  struct Same {
    using is_transparent = void;
    const ScopeSets* sets;
    bool operator()(uint32_t a, uint32_t b) const { return a == b; }
    bool operator()(std::string_view text, uint32_t number) const {
      return text == sets->TextOf(number);
    }
    bool operator()(uint32_t number, std::string_view text) const { return (*this)(text, number); }
  };

  Arena& arena_;
  StableArray<Set, Directory::kMaxCells> sets_;
  boost::unordered_flat_set<uint32_t, Hash, Same> numbers_;
  std::vector<uint32_t> free_;
  size_t text_bytes_ = 0;
};

}  // namespace p402::index
