#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "store/sqlite/mark_log.h"
#include "store/store.h"

namespace p402::store::sqlite {

struct Options {
  std::filesystem::path folder;  // made with mode 0700; holds p402.db, revocations.journal and lock
  bool create = true;            // false: kNotFound if there is no database
  int readers = 2;               // reading threads
  std::string vfs = {};          // for fault tests; empty: SQLite's default
  bool synchronous_full =
      true;  // false only in the test that shows that the power-loss test can fail
  MarkLogOptions marks = {};
};

// The embedded store: SQLite in WAL mode with synchronous=FULL, one writer thread with group
// commit, reader threads, and the folder's lock (S5). Errors of Open: kLocked; kCorrupt (damaged,
// or not our database); kConflict (a newer schema than this program knows, naming both versions);
// kIo. An older schema is migrated in one transaction.
Result<std::unique_ptr<Store>> Open(const Options& options, const Clock& clock, Random& random,
                                    Log& log, Metrics& metrics);

// C5. Every restrictive change is also written to revocations.journal, fsynced before Commit
// completes, one line each; Open adds what a crash kept out of it.
struct RestoreOptions {
  std::filesystem::path backup;  // what Store::Backup wrote
  std::filesystem::path
      folder;  // where to; an existing database is kept as p402.db.before-restore-<time>
  bool accept_resurrection = false;
};
struct RestoreReport {
  int64_t keys = 0;
  WallTime backup_at{};  // of the last change in the backup
  std::optional<WallTime> journal_until =
      {};  // of the last change in the journal; nullopt: there is none
  std::vector<key::KeyId> revoked_again = {};     // active in the backup, revoked by the journal
  std::vector<key::KeyId> restricted_again = {};  // unrevoked, and as their last restriction says
};
// Puts the backup in place, applies the journal (as changes with audit records of the actor
// system:restore) and verifies the audit chain. Takes the folder's lock.
// Errors: kConflict, reason "resurrection", with the time span that is unaccounted for, if the
// folder has no journal and !accept_resurrection; kCorrupt (not an intact backup); kLocked. After
// an error the folder is as before.
Result<RestoreReport> Restore(const RestoreOptions& options, const Clock& clock, Random& random,
                              Log& log);

// S1, S5: verifies the chain of a stopped or running store; only reads, takes no lock.
Result<AuditVerdict> VerifyAudit(const std::filesystem::path& folder,
                                 std::optional<key::Digest> anchor);

}  // namespace p402::store::sqlite
