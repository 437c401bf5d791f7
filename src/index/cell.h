#pragma once

#include <atomic>
#include <cstdint>

#include "index/directory.h"
#include "index/stable_array.h"
#include "key/digest.h"
#include "key/ids.h"

namespace p402::index {

// Everything about one version of a key that can change, in one word, so that one load gives one
// consistent version:
//
//   flags (5 bits) · scope set (27 bits) · facts (32 bits)
//
// Zero: nothing is known about the key (any more), but its cell has a mark.
class State {
 public:
  enum Flag : uint64_t {
    kTest = uint64_t{1} << 59,
    kRevoked = uint64_t{1} << 60,
    kDisabled = uint64_t{1} << 61,
    kExpires = uint64_t{1} << 62,
    kHasCidrs = uint64_t{1} << 63,
  };

  State() = default;
  explicit State(uint64_t word) : word_(word) {}
  State(uint64_t flags, uint32_t scope_set, uint32_t facts)
      : word_(flags | uint64_t{scope_set} << 32 | facts) {}

  bool is_known() const { return word_ != 0; }
  bool has(Flag flag) const { return (word_ & flag) != 0; }
  uint32_t scope_set() const { return static_cast<uint32_t>(word_ >> 32) & Directory::kMaxCells; }
  uint32_t facts() const { return static_cast<uint32_t>(word_); }
  uint64_t word() const { return word_; }

 private:
  uint64_t word_ = 0;
};

// What a verification needs of one key, in one line of memory. Only `state` and `used` change while
// readers may see the cell; a key that gets another digest or account gets another cell.
struct alignas(64) Cell {
  key::Digest digest{};
  key::KeyId id{};
  std::atomic<uint64_t> state{0};  // a State
  uint32_t account = 0;            // a number of Accounts
  std::atomic<uint32_t> used{0};   // see marks.h
};
static_assert(sizeof(Cell) == 64);

using Cells = StableArray<Cell, Directory::kMaxCells>;

}  // namespace p402::index
