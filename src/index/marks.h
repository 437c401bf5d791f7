#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "index/cell.h"

namespace p402::index {

// One use that waits to be written, or was taken.
struct Mark {
  key::KeyId key;
  WallTime at{};  // the last use; whole seconds
  // The first use that is not known to be written; nullopt: `at`.
  std::optional<WallTime> since = {};
};

// A first-in first-out queue of words that keeps some of its memory when it is emptied.
// Threads: one at a time.
class WordQueue {
 public:
  bool empty() const { return blocks_.empty(); }
  void Push(uint64_t word);
  uint64_t front() const { return blocks_.front()->words[blocks_.front()->begin]; }
  void Pop();
  // Appends what `other` has, block by block, and gives it back emptied blocks of its own.
  void TakeFrom(WordQueue& other);

 private:
  static constexpr size_t kBlockWords = 1022;
  static constexpr size_t kSpareBlocks = 64;
  struct Block {
    uint32_t begin = 0;
    uint32_t end = 0;
    std::array<uint64_t, kBlockWords> words;
  };
  std::deque<std::unique_ptr<Block>> blocks_;  // none is empty
  std::vector<std::unique_ptr<Block>> spare_;
};

// The uses that wait to be written: each key at most once, oldest first, in whole seconds.
//
// A cell's `used` is one word: the second of the last use, and whether it waits to be written. A
// use puts both with one compare-and-swap; a take removes "waits" and learns the second with one
// operation on the same word. Of a use and a take that meet, the take comes first and the use
// queues the key again, or the use comes first and the take has it. No use is lost.
//
// A queue's entry (since when, cell) says no more than "look at this cell". Every cell that waits
// has an entry that is as old as its first use or older; an entry of a cell that does not wait is
// dropped when it comes to the front. So an entry may outlive its cell's key without harm.
//
//   use:   stripe of the processor ── incoming ─┐ a lock of its own; held for one push
//   take:                                       └─▶ backlog, late  (under `mutex_`)
//
// Threads: Use: any, within a Pin. The rest: safe to call concurrently.
// Memory: 8 bytes for each key that waits.
class Marks {
 public:
  explicit Marks(const Cells& cells) : cells_(cells) {}

  // A key was used at `now`. Cost: nothing but a comparison if it was already used in this second;
  // no allocation once the queues have their size.
  void Use(uint32_t cell, WallTime now);
  // Raises the last use without a mark. Returns false if it was not older.
  static bool Raise(Cell& cell, WallTime at);
  static std::optional<WallTime> LastUsed(const Cell& cell);

  std::vector<Mark> Take(size_t limit);
  // Makes a cell wait (again), for uses from `since` to `at`.
  void Return(uint32_t cell, WallTime at, WallTime since);
  // A cell's key moves to another cell.
  // Requires: no reader uses `from` any more.
  void Move(uint32_t from, uint32_t to);
  // All cells go away by `clear`; what waits in them goes to those that `cell_for` makes. Nobody
  // sees it missing meanwhile.
  // Requires: no reader uses the cells any more.
  void Rehome(const std::function<void()>& clear,
              const std::function<uint32_t(const key::KeyId&)>& cell_for);

  size_t waiting();
  std::optional<WallTime> Oldest();

 private:
  static constexpr size_t kStripes = 16;
  struct alignas(64) Stripe {
    std::mutex mutex;
    WordQueue incoming;          // in the order of time
    std::vector<uint64_t> late;  // what is older than the last of `incoming`: clocks step back
    uint64_t last = 0;
    int64_t pushed = 0;
  };

  void Push(uint32_t cell, uint32_t second);
  // All of these: under mutex_.
  std::vector<Mark> TakeLocked(size_t limit);
  void ReturnLocked(uint32_t cell, uint32_t second, uint32_t since);
  void Gather();
  void PushLate(uint64_t entry);
  std::optional<uint64_t> Front();  // drops entries of cells that do not wait
  void PopFront();

  const Cells& cells_;
  std::array<Stripe, kStripes> stripes_;
  std::mutex mutex_;
  std::array<WordQueue, kStripes> backlog_;
  std::vector<uint64_t> late_;  // a heap, the oldest on top
  WordQueue* front_ = nullptr;  // where Front() found it; null: in late_
  int64_t taken_ = 0;
};

}  // namespace p402::index
