#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "index/index.h"
#include "key/ids.h"

namespace p402::index {

// When one key was used, and whether that waits to be written.
struct Usage {
  static constexpr int64_t kNever = INT64_MIN;

  explicit Usage(const key::KeyId& a_key) : key(a_key) {}

  // Raises the last use. Returns false if it was not older.
  bool Raise(int64_t at_ms);

  const key::KeyId key;
  std::atomic<int64_t> last_used_ms{kNever};
  // Written under the lock of Marks only; read without it as the fast answer "nothing to do".
  std::atomic<bool> is_waiting{false};
  // Guarded by the lock of Marks: the oldest use that is not known to be written, of the mark that
  // waits and of the one that was taken last.
  int64_t since_ms = kNever;
  int64_t taken_since_ms = kNever;
};

// The uses that wait to be written: each key at most once, oldest first.
//
// A use and a Take of the same key may meet:
//
//   use:   (1) raise last_used   (2) read is_waiting; done if it waits
//   take:  (3) is_waiting = false   (4) read last_used
//
// All four are sequentially consistent. If (2) reads true, then (2) comes before (3), so (1) comes
// before (4), and the take has the use. If (2) reads false, the use queues the key again. No use is
// lost.
//
// Threads: safe to call concurrently. Memory: one entry for each key that waits, and one more for
// each mark that was returned.
class Marks {
 public:
  void Use(const std::shared_ptr<Usage>& usage, WallTime now);
  std::vector<Mark> Take(size_t limit);
  void Return(const std::shared_ptr<Usage>& usage, WallTime at);
  size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  std::optional<WallTime> Oldest();

 private:
  struct Item {
    int64_t since_ms;
    std::shared_ptr<Usage> usage;
    // A returned mark queues its key a second time, with an older time: the first entry is stale.
    bool is_stale() const { return !usage->is_waiting.load() || usage->since_ms != since_ms; }
  };
  void Push(const std::shared_ptr<Usage>& usage, int64_t since_ms);
  void Pop();
  void DropStale();

  std::mutex mutex_;
  std::vector<Item> heap_;  // the oldest on top
  std::atomic<size_t> waiting_{0};
};

}  // namespace p402::index
