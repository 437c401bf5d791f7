#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "index/directory.h"
#include "index/stable_array.h"
#include "key/digest.h"
#include "key/ids.h"

namespace p402::index {

// Everything but the deadline about one version of a key that can change, in one word, so that one
// load gives one consistent version; see Version:
//
//   flags (5 bits) · terms (27 bits) · facts (32 bits)
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
  State(uint64_t flags, uint32_t terms, uint32_t facts)
      : word_(flags | uint64_t{terms} << 32 | facts) {}

  bool is_known() const { return word_ != 0; }
  bool has(Flag flag) const { return (word_ & flag) != 0; }
  uint32_t terms() const { return static_cast<uint32_t>(word_ >> 32) & Directory::kMaxCells; }
  uint32_t facts() const { return static_cast<uint32_t>(word_); }
  uint64_t word() const { return word_; }

 private:
  uint64_t word_ = 0;
};

// Whole seconds since 1970, from 0 to the largest number: never later for an earlier time.
inline uint32_t DeadlineSecond(WallTime time) {
  const int64_t second = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  return static_cast<uint32_t>(std::clamp<int64_t>(second, 0, UINT32_MAX));
}

// One version of a key, and a DeadlineSecond before which it does not expire: only then its facts
// need to be looked at. UINT32_MAX if it never does.
struct Version {
  State state;
  uint32_t deadline = 0;
};

// What a verification needs of one key, in one line of memory. Only `state`, `deadline` and `used`
// change while readers may see the cell; a key that gets another digest gets another cell.
struct alignas(64) Cell {
  key::Digest digest{};
  key::KeyId id{};
  std::atomic<uint64_t> state{0};     // a State
  std::atomic<uint32_t> deadline{0};  // see Version
  std::atomic<uint32_t> used{0};      // see marks.h

  // writer: (1) deadline = the earlier of both  (2) state = next  (3) deadline = that of `next`
  // reader: (4) read the state  (5) read the deadline  (6) read the state again: is it the same?
  //
  // The deadline must not be later than that of the version from (4). If (4) saw what (2) wrote,
  // (5) sees (1) or something later of this order. If (4) saw what was before (2), (5) may have
  // seen (3); then (6) sees (2), and the reader begins again. A state is not used twice while a
  // reader is there, because its facts are not.
  //
  // Threads: the one writer's.
  void Show(State next, uint32_t next_deadline) {
    deadline.store(std::min(deadline.load(std::memory_order_relaxed), next_deadline),
                   std::memory_order_release);
    state.store(next.word());
    deadline.store(next_deadline, std::memory_order_release);
  }
  // Threads: any, within a Pin.
  Version Read() const {
    for (;;) {
      const State seen(state.load());
      const uint32_t seen_deadline = deadline.load(std::memory_order_acquire);
      if (state.load(std::memory_order_relaxed) == seen.word()) return {seen, seen_deadline};
    }
  }
};
static_assert(sizeof(Cell) == 64);

using Cells = StableArray<Cell, Directory::kMaxCells>;

}  // namespace p402::index
