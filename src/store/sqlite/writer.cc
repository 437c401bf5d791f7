#include "store/sqlite/writer.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <iterator>
#include <type_traits>

namespace p402::store::sqlite {
namespace {

// Bounds how long the first of a group waits for the last.
constexpr size_t kMaxGroup = 512;

bool HasFailed(const Job& job) {
  return std::visit([](const auto& j) { return !j.outcome.has_value(); }, job);
}

void SetError(Job& job, const Error& error) {
  std::visit([&](auto& j) { j.outcome = Failure(error); }, job);
}

void Complete(Job& job) {
  std::visit(
      [](auto& j) {
        if constexpr (std::is_same_v<std::decay_t<decltype(j)>, CommitJob>) {
          Result<Committed> result;
          if (j.outcome) {
            result = j.outcome->committed;
          } else {
            result = Failure(std::move(j.outcome).error());
          }
          std::move(j.done)(std::move(result));
        } else {
          std::move(j.done)(std::move(j.outcome));
        }
      },
      job);
}

}  // namespace

Writer::Writer(std::unique_ptr<Database> database, std::unique_ptr<Journal> journal, MarkLog& marks,
               const Clock& clock, Random& random, Log& log, Metrics& metrics)
    : database_(std::move(database)),
      journal_(std::move(journal)),
      marks_(marks),
      clock_(clock),
      random_(random),
      log_(log),
      writes_(metrics.counter("p402_store_writes_total", "Changes and marks that were written")),
      groups_(metrics.counter("p402_store_groups_total", "Transactions; one fsync each")),
      errors_(metrics.counter("p402_store_errors_total", "Groups that the store could not write")),
      seconds_(metrics.histogram("p402_store_group_seconds",
                                 "Time from the start of a group to its fsync")),
      thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "store-writer");
}

Writer::~Writer() {
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Writer::Add(Job job) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(job));
  }
  wake_.notify_one();
}

std::vector<Job> Writer::Take() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
  std::vector<Job> group;
  if (waiting_.size() <= kMaxGroup) {
    group.swap(waiting_);
  } else {
    const auto end = waiting_.begin() + kMaxGroup;
    group.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
  }
  return group;
}

void Writer::Run() {
  // On a processor that is full, those who answer go first. Meanwhile more changes come together, and
  // the larger a group, the less each of its changes costs.
  constexpr int kNicer = 10;
  setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + kNicer);
  for (;;) {
    std::vector<Job> group = Take();
    if (group.empty()) return;  // stopping, and everything is done
    const BootTime start = clock_.Boot();
    RunGroup(group);
    changes_.reset();
    seconds_.Observe(std::chrono::duration<double>(clock_.Boot() - start).count());
    for (auto& job : group) Complete(job);
  }
}

// Afterwards every job of `group` has its outcome.
void Writer::RunGroup(std::vector<Job>& group) {
  groups_.Add();
  writes_.Add(group.size());
  const Status status = RunOnce(group);
  if (status) return;
  errors_.Add();
  log_.Error("store.write_failed", {{"detail", status.error().detail}, {"jobs", group.size()}});
  // Also those that were refused: maybe for what an earlier one of the group would have changed.
  for (auto& job : group) SetError(job, status.error());
}

// Errors: those that concern every job.
Status Writer::RunOnce(std::vector<Job>& group) {
  P402_TRY(RunJobs(group));
  if (std::ranges::all_of(group, HasFailed)) {
    database_->Rollback();
    return {};
  }
  if (auto finished = changes_->Finish(); !finished) {
    database_->Rollback();
    return finished;
  }
  Status status = database_->Execute("COMMIT");
  if (!status) {
    database_->Rollback();
    // The commit record may have reached the disk although its fsync failed: then a restart would
    // find the change.
    Error error = std::move(status).error();
    error.detail = "outcome unknown: " + error.detail;
    return Failure(std::move(error));
  }
  const Status journal = WriteJournal(group);
  marks_.Committed();
  return journal;
}

// A job that fails after it has written something takes the whole transaction with it: it keeps its
// error, and the others start again without it. That is rare, because plans refuse before they
// write. A savepoint for each job would be paid by every change: SQLite then copies each page that
// the job is the first to touch.
Status Writer::RunJobs(std::vector<Job>& group) {
  std::vector<bool> is_out(group.size());
  for (bool is_whole = false; !is_whole;) {
    P402_TRY(database_->Execute("BEGIN IMMEDIATE"));
    changes_.emplace(*database_, random_, marks_.Now());
    marks_.Begin();
    is_whole = true;
    for (size_t i = 0; i < group.size() && is_whole; ++i) {
      if (is_out[i]) continue;
      is_whole = RunJob(group[i]);
      is_out[i] = !is_whole;
    }
    if (!is_whole) database_->Rollback();
    if (std::ranges::find(is_out, false) == is_out.end()) return {};
  }
  return {};
}

// False: the job has failed, and not only by refusing.
bool Writer::RunJob(Job& job) {
  const int64_t before = database_->total_changes();
  std::visit([this](auto& j) { Execute(j); }, job);
  if (!HasFailed(job)) return true;
  return database_->is_in_transaction() && database_->total_changes() == before;
}

void Writer::Execute(CommitJob& job) {
  job.outcome = changes_->Run(job.plan, clock_.Now());
}

void Writer::Execute(MarkJob& job) {
  const WallTime now = clock_.Now();
  MarkRun marks = job.marks;  // the job may run again
  for (auto& mark : marks) mark.at = std::min(mark.at, now);
  job.outcome = marks_.Write(*database_, std::move(marks));
}

// The change is committed: if the journal fails, its lines wait for the next group, and the caller
// learns that the promise of the journal does not hold yet. So does every caller of the group: who
// repeats a change that is committed already has no line of his own, but relies on one that waits.
Status Writer::WriteJournal(std::vector<Job>& group) {
  JournalLines lines;
  for (auto& job : group) {
    auto* commit = std::get_if<CommitJob>(&job);
    if (commit != nullptr && commit->outcome) lines.Add(commit->outcome->lines);
  }
  auto status = journal_->Append(lines);
  if (status) return {};
  Error error = std::move(status).error();
  error.detail = "outcome unknown: committed, but not in the revocation journal: " + error.detail;
  log_.Error("store.journal_failed", {{"detail", error.detail}});
  for (auto& job : group) {
    auto* commit = std::get_if<CommitJob>(&job);
    if (commit != nullptr && commit->outcome) commit->outcome = Failure(error);
  }
  return {};
}

}  // namespace p402::store::sqlite
