#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "feed/position.h"
#include "index/index.h"
#include "store/store.h"

namespace p402::feed {

// Something on this node that must have obeyed a change before the change counts as applied: open
// streams, the gateway, followers.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  // Called in order of seq, after the index has the change. `applied` is called once, from any
  // thread, when nothing of this subscriber acts on the state before the change any more. `record`
  // is null for changes that concern no key.
  virtual void OnChange(const store::Change& change, const key::Record* record,
                        std::move_only_function<void()> applied) = 0;
};

// How a barrier was reached.
struct BarrierReport {
  int acknowledged = 0;  // members that have applied the sequence
  int expired = 0;       // members that had to be waited out (many nodes)
  Millis took{};
};

struct Progress {
  int64_t loaded = 0;     // keys read so far
  int64_t total = 0;      // keys to read, as counted at the start
  int64_t applied = 0;    // sequence
  bool is_ready = false;  // the index is whole
};

// Where a snapshot of the index is, and who reads it.
struct SnapshotSource {
  std::filesystem::path file;
  Executor& executor;  // of a thread that may wait for a disk
};

// From the store's log into this node's index, and the proof of how far every member of the cluster
// has come. On the embedded store there is one member: this node (guarantee G0: no clock is
// involved).
//
// Threads:  public calls from any thread. The index is written by `scheduler`'s thread only.
// Lifetime: everything given at construction outlives the feed. Stop() first, then destroy.
class Feed {
 public:
  Feed(store::Store& store, index::Index& index, Scheduler& scheduler, const Clock& clock, Log& log,
       Metrics& metrics);
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // Fills the index, and replays the log from where that was: from a snapshot, if there is one that
  // is whole and of this store's history; else from every key in the store. Completes when the
  // index is whole.
  void Start(Callback<Status> done, std::optional<SnapshotSource> snapshot = {});
  // Barriers that are waiting complete with kUnavailable.
  void Stop();

  // Completes when every member has applied `seq`: its index has it and every subscriber has
  // obeyed. It may take as long as the slowest member may answer from memory, and holds no thread
  // meanwhile.
  // Errors: kUnavailable (stopped, or the store cannot be read), kCorrupt (the log has a gap or
  //         another history).
  void Barrier(int64_t seq, Callback<Result<BarrierReport>> done);
  // The members that have not applied `seq` yet, for `202 … pending_nodes`.
  std::vector<std::string> Pending(int64_t seq) const;

  // Lifetime: unsubscribed before it is destroyed; no call is under way when Unsubscribe returns.
  void Subscribe(Subscriber& subscriber);
  void Unsubscribe(Subscriber& subscriber);

  // True while this node may answer from memory. On the embedded store: from ready on, until Stop
  // or a corrupt log.
  bool is_current() const;
  Progress progress() const;
  // The last change that the index has, at a moment when it has all of the changes before and none
  // after. nullopt unless is_current(). Waits for the changes that are being applied.
  std::optional<Position> position() const;
  // The sequence from which the log was replayed after a snapshot was loaded; 0: none was.
  int64_t started_from_snapshot() const;
  const std::string& node_id() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace p402::feed
