#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/random.h"
#include "base/typeid.h"
#include "feed/feed.h"
#include "index/index.h"

namespace p402::feed {

struct SnapshotOptions {
  std::filesystem::path file = {};
  Uuid store{};  // its id
  // A snapshot is written when the last one, or the empty one, is so many changes behind: so many
  // in any case, and so many for each key. Reading a change again costs what 25 keys cost.
  int64_t min_changes = 1000;
  int64_t keys_per_change = 100;
  // How often that is looked at.
  Millis interval = std::chrono::minutes(1);
};

// Keeps a snapshot of the index beside the store, so that the next start need not read every key.
// It is written while verifications and changes go on, and neither waits for it.
//
// Threads:  public calls from any thread; the work is done on `scheduler`'s, which it occupies for
//           as long as a file takes.
// Lifetime: everything given at construction outlives it. Stop the feed, then destroy.
class SnapshotWriter {
 public:
  SnapshotWriter(SnapshotOptions options, const Feed& feed, const index::Index& index,
                 Scheduler& scheduler, const Clock& clock, Log& log);
  ~SnapshotWriter();
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  // Looks every interval from now on.
  void Start();
  // Writes one now if there is reason to; before a stop. Completes when that is done, or failed:
  // then the old one stays, and the log says why.
  void Flush(Callback<Status> done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace p402::feed
