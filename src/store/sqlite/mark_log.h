#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "key/record.h"
#include "store/sqlite/database.h"
#include "store/usage.h"

namespace p402::store::sqlite {

// Marks of different keys, ascending by key.
using MarkRun = std::vector<UsageMark>;

// The marks that were in the log at one moment.
// Threads:  one at a time; a copy is cheap.
// Requires: made before the rows are read that it adds to. A mark leaves the log when its row has
// it, so that what is missing here is in the row.
class LoggedMarks {
 public:
  LoggedMarks() = default;
  explicit LoggedMarks(std::vector<std::shared_ptr<const MarkRun>> runs) : runs_(std::move(runs)) {}
  // The latest mark of a key.
  std::optional<WallTime> Of(const key::KeyId& key) const;
  // Raises the record's last use to the mark of its key, if there is one.
  void AddTo(key::Record& record) const;

 private:
  std::vector<std::shared_ptr<const MarkRun>> runs_;
};

struct MarkLogOptions {
  // Beyond any of these the log is folded into the rows.
  size_t max_rows = 4096;
  size_t max_bytes = 64 * 1024 * 1024;
  // In memory; 24 bytes each. More than a million and a half, which a million keys that are all in
  // use can leave: their marks are then folded once for several.
  size_t max_marks = 1'600'000;
  // A bounded piece of folding for each write, so that no change waits long behind it. Faster than
  // marks arrive (limits::kUsageMarksPerSecond times kUsageFlushInterval).
  size_t fold_marks = 8192;
  size_t clear_rows = 16;
};

// Where marks are written first: a row in the table `usage_log` for each write, which costs a
// twentieth of as many rows of the table `usage`. Later, in the order of keys, so that neighbours
// share a page, and each key once, they are folded into `usage`.
//
//   Write ─▶ usage_log, and a run in memory ─┐ beyond a bound, all runs become one
//                                            ├─ folding:  piece by piece into `usage`
//                                            └─ clearing: piece by piece out of `usage_log`
//
// Every reading adds the runs in memory to the rows. Folding raises and never lowers, so that a log
// that a killed server left half folded is folded again.
//
// Form of a row: for each mark the key's id (16 bytes) and ms since the epoch (8 bytes, little
// endian), then the CRC-32 of all that (4 bytes, little endian). Never change.
//
// Threads: Now: any. The rest: the writer's.
class MarkLog {
 public:
  // Reads what the log holds. Damaged rows are reported in `log`, and left out.
  static Result<std::unique_ptr<MarkLog>> Load(Database& database, Log& log,
                                               const MarkLogOptions& options = {});

  LoggedMarks Now() const;

  // A transaction has begun: what was written and not committed is forgotten.
  void Begin() { staged_ = {}; }
  // Writes `marks`; of a key's, the latest. After an error, what it did has to be rolled back.
  // Requires: a transaction is open.
  Status Write(Database& database, MarkRun marks);
  // What was written since Begin is durable.
  void Committed();

  size_t waiting() const;  // marks in memory

 private:
  struct Pass {
    std::shared_ptr<const MarkRun> run;
    int64_t through = 0;  // the last row of the log that it holds
    size_t folded = 0;    // how many of `run` the table `usage` has
    void Release() { *this = {.run = std::make_shared<MarkRun>(), .through = through}; }
  };
  struct Staged {
    std::vector<std::shared_ptr<const MarkRun>> runs = {};
    size_t bytes = 0;
    size_t folded = 0;        // in addition to the pass's
    bool is_cleared = false;  // the pass's rows are gone
  };

  explicit MarkLog(const MarkLogOptions& options) : options_(options) {}
  bool is_folded() const { return pass_ && pass_->folded == pass_->run->size(); }
  void AddRun(std::shared_ptr<const MarkRun> run, size_t bytes);
  void StartPass();
  Result<size_t> Fold(Database& database) const;
  Result<bool> Clear(Database& database) const;
  void Publish();

  const MarkLogOptions options_;
  int64_t last_row_ = 0;
  // Not of the pass: each at least twice as long as the next.
  std::vector<std::shared_ptr<const MarkRun>> runs_;
  size_t rows_ = 0;   // of the log, that `runs_` come from
  size_t bytes_ = 0;  // in them
  std::optional<Pass> pass_;
  Staged staged_;

  mutable std::mutex mutex_;  // guards what follows
  LoggedMarks now_;
};

}  // namespace p402::store::sqlite
