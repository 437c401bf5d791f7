#pragma once

#include <filesystem>
#include <string_view>

#include "base/typeid.h"
#include "store/audit.h"
#include "store/keys.h"
#include "store/log.h"
#include "store/transaction.h"
#include "store/usage.h"

namespace p402::store {

// The prefix of the TypeID that names a backup on its way to a client, in the data folder. What a
// killed server left of such files is removed when the store is opened again.
inline constexpr std::string_view kBackupPrefix = "backup";

// The durable truth: one database. Everything in memory can be rebuilt from it.
//
// Threads:  every method may be called from any thread and returns at once; completions run on the
// callback's executor.
// Lifetime: the destructor finishes what was accepted, then closes. Executors of callbacks outlive
// the store.
// Errors:   kUnavailable (cannot be reached, or closing), kResourceExhausted (disk full), kCorrupt,
// kIo. After an error of Commit nothing of the change is visible, unless the store says "outcome
// unknown" in detail.
class Store {
 public:
  virtual ~Store() = default;

  // Random, made with the store: what is kept beside a store is tied to it by this. A backup of the
  // store has the same.
  virtual const Uuid& id() const = 0;

  // Runs `plan` in a transaction and completes when the change, its log entries and its audit
  // records are durable (an fsync has returned) and visible to every later read.
  virtual void Commit(Plan plan, Callback<Result<Committed>> done) = 0;

  virtual Keys& keys() = 0;
  virtual Accounts& accounts() = 0;
  virtual ChangeLog& log() = 0;
  virtual Usage& usage() = 0;
  virtual Audit& audit() = 0;

  // Writes a consistent copy of the whole database to the new file `target` (mode 0600).
  // Errors: kConflict if the file exists; kInvalidArgument if this store has no such backup.
  virtual void Backup(std::filesystem::path target, Callback<Status> done) = 0;
};

}  // namespace p402::store
