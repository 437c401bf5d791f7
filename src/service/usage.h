#pragma once

#include <memory>
#include <optional>

#include "base/executor.h"
#include "base/log.h"
#include "base/metrics.h"
#include "index/index.h"
#include "store/store.h"

namespace p402::service {

// Writes the index's marks to the store (L1): every limits::kUsageFlushInterval, at most
// limits::kUsageMarksPerSecond, oldest first. A failed write gives the marks back.
// Threads: public calls from any thread; the work happens on `scheduler`.
class UsageWriter {
 public:
  UsageWriter(index::Index& index, store::Store& store, Scheduler& scheduler, const Clock& clock,
              Log& log, Metrics& metrics);
  ~UsageWriter();
  void Start();
  // Writes everything that waits, then completes: before a clean stop.
  void Flush(Callback<Status> done);
  // Every use up to this time is durable (L1: usage_complete_through).
  WallTime complete_through() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace p402::service
