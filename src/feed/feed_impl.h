#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "feed/feed.h"
#include "feed/position.h"
#include "feed/subscriptions.h"
#include "index/snapshot.h"

namespace p402::feed {

// What is read from any thread without the lock; outlives the feed for the metrics' sake.
struct Gauges {
  std::atomic<int64_t> loaded{0};
  std::atomic<int64_t> total{0};
  std::atomic<int64_t> applied{0};
  // Applied, and obeyed by every subscriber. Stored (release) after the index has it.
  std::atomic<int64_t> obeyed{0};
  std::atomic<int64_t> keys{0};
  std::atomic<bool> is_ready{false};
  std::atomic<bool> is_current{false};
  std::atomic<bool> is_stopped{false};  // the scheduler may be gone
};

// Loading is from a snapshot first, if there is one (feed_snapshot.cc), then from the store.
//
//   idle ──Start──▶ loading ──last page──▶ replaying ──end of log──▶ ready
//     ▲                │                       │                       │
//     └── read errors ─┴───────────────────────┤                       │
//                                              └──▶ corrupt ◀── gap, other tag, bad payload
//   every state ──Stop──▶ stopped
enum class State : uint8_t { kIdle, kLoading, kReplaying, kReady, kCorrupt, kStopped };

struct Waiter {
  BootTime began{};
  Callback<Result<BarrierReport>> done;
};

// The feed's work. All of it runs under `mutex`: on the scheduler's thread, or in Stop, Subscribe
// and Unsubscribe, which thereby wait out a running step. The lock is recursive because a
// subscriber may unsubscribe or stop the feed from within its own call.
struct Feed::Impl : std::enable_shared_from_this<Feed::Impl> {
  Impl(store::Store& a_store, index::Index& an_index, Scheduler& a_scheduler, const Clock& a_clock,
       Log& a_log, Metrics& metrics);

  // feed_load.cc: from nothing to ready.
  void Start(Callback<Status> done, std::optional<SnapshotSource> source);
  void Count();
  void ReadHead();
  void Scan();
  void OnPage(std::vector<key::Record> page);
  void BecomeReady();
  void FinishStart(Status status);

  // feed_snapshot.cc: the short way there.
  void OpenSnapshot();
  void CheckSnapshot();
  void CheckSnapshotStart();
  void ReadSnapshot();
  void OnSnapshotBlock(Result<std::optional<index::KeyBlock>> block);
  void RejectStaleSnapshot();
  void RejectSnapshot(const Error& error);

  // feed_follow.cc: the log, from the position on.
  void ReadLog();
  void OnLog(const std::vector<store::Change>& batch);
  Status Apply(const store::Change& change);
  void OnReadError(const Error& error, void (Impl::*again)());
  void BecomeCorrupt(const Error& error);
  void Poll();

  // feed.cc: barriers.
  void AddWaiter(int64_t seq, Waiter waiter);
  void Obeyed();
  void ReadIfAwaited();
  void FailWaiters(const Error& error);
  void Complete(Waiter waiter);
  void Stop();

  // A task for the scheduler: `step` under the lock, or nothing after Stop.
  template <class F>
  Task Step(F step) {
    return [self = shared_from_this(), step = std::move(step)]() mutable {
      std::lock_guard lock(self->mutex);
      if (self->state != State::kStopped) step(*self);
    };
  }
  // A completion of a store call: `step` gets the value under the lock, errors go to OnReadError,
  // which tries `again`.
  template <class T, class F>
  Callback<Result<T>> OnRead(void (Impl::*again)(), F step) {
    return Callback<Result<T>>(scheduler,
                               [self = shared_from_this(), again, step](Result<T> result) mutable {
                                 std::lock_guard lock(self->mutex);
                                 if (self->state == State::kStopped) return;
                                 if (!result) return self->OnReadError(result.error(), again);
                                 self->failures = 0;
                                 step(*self, *std::move(result));
                               });
  }
  int64_t awaited() const { return waiters.empty() ? 0 : waiters.rbegin()->first; }

  store::Store& store;
  index::Index& index;
  Scheduler& scheduler;
  const Clock& clock;
  Log& log;
  Histogram& barrier_seconds;
  const std::string node_id = "local";
  const std::shared_ptr<Gauges> gauges = std::make_shared<Gauges>();

  mutable std::recursive_mutex mutex;
  State state = State::kIdle;
  Position position;
  Subscriptions subscriptions;
  std::multimap<int64_t, Waiter> waiters;  // by sequence
  bool is_reading = false;
  int64_t read_covers = 0;  // the largest sequence that was awaited when the read began
  int failures = 0;         // reads that failed in a row
  std::optional<Callback<Status>> start_done;
  BootTime start_began{};
  key::KeyId scanned;  // the last key that was read
  std::optional<SnapshotSource> snapshot_source;
  std::shared_ptr<index::SnapshotReader> snapshot;  // while it is loaded
  std::atomic<int64_t> started_from_snapshot{0};
};

}  // namespace p402::feed
