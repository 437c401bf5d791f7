#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "store/sqlite/commit.h"
#include "store/sqlite/database.h"
#include "store/sqlite/journal.h"
#include "store/sqlite/mark_log.h"
#include "store/transaction.h"
#include "store/usage.h"

namespace p402::store::sqlite {

// What the writer can be asked to do.
struct CommitJob {
  Plan plan;
  Callback<Result<Committed>> done;
  Result<Applied> outcome = {};
};
struct MarkJob {
  std::vector<UsageMark> marks;
  Callback<Status> done;
  Status outcome = {};
};
using Job = std::variant<CommitJob, MarkJob>;

// The one thread that writes. It takes everything that waits as one group:
//
//   BEGIN IMMEDIATE · the jobs, one after the other · COMMIT (one fsync)
//   · journal of restrictive changes (one fdatasync, only if there are any) · completions
//
// so that a lone commit waits for nothing, and under load an fsync is shared.
// Threads:  Add from any thread.
// Lifetime: the destructor finishes what was added.
class Writer {
 public:
  Writer(std::unique_ptr<Database> database, std::unique_ptr<Journal> journal, MarkLog& marks,
         const Clock& clock, Random& random, Log& log, Metrics& metrics);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void Add(Job job);

 private:
  void Run();
  std::vector<Job> Take();
  void RunGroup(std::vector<Job>& group);
  Status RunOnce(std::vector<Job>& group);
  Status RunJobs(std::vector<Job>& group);
  bool RunJob(Job& job);
  void Execute(CommitJob& job);
  void Execute(MarkJob& job);
  Status WriteJournal(std::vector<Job>& group);

  std::unique_ptr<Database> database_;
  std::unique_ptr<Journal> journal_;
  MarkLog& marks_;
  std::optional<Changes> changes_;  // of the transaction that is open
  const Clock& clock_;
  Random& random_;
  Log& log_;
  Counter& writes_;
  Counter& groups_;
  Counter& errors_;
  Histogram& seconds_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::vector<Job> waiting_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace p402::store::sqlite
