#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/file.h"
#include "store/sqlite/audit_rows.h"
#include "store/sqlite/backup.h"
#include "store/sqlite/commit.h"
#include "store/sqlite/files.h"
#include "store/sqlite/reconcile.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_store.h"

namespace p402::store::sqlite {
namespace {

// Removes what a failed restore has made.
class Cleanup {
 public:
  ~Cleanup() {
    std::error_code ignored;
    for (auto it = paths_.rbegin(); it != paths_.rend(); ++it) {
      std::filesystem::remove(*it, ignored);
    }
  }
  void Add(std::filesystem::path path) { paths_.push_back(std::move(path)); }
  void Forget() { paths_.clear(); }

 private:
  std::vector<std::filesystem::path> paths_;
};

Failure SystemError(const std::filesystem::path& path) {
  return Fail(ErrorCode::kIo, fmt::format("{}: {}", path.string(), std::strerror(errno)));
}

Result<WallTime> LastChange(Database& database) {
  P402_TRY(const int64_t at,
           database.ReadInt("SELECT coalesce((SELECT at FROM audit ORDER BY number DESC LIMIT 1), "
                            "0)"));
  return WallTime(Millis(at));
}

// The copy of the backup that becomes the database.
Result<std::unique_ptr<Database>> MakeCopy(const std::filesystem::path& backup,
                                           const std::filesystem::path& copy, Cleanup& cleanup,
                                           Random& random) {
  std::error_code ignored;
  std::filesystem::remove(copy, ignored);  // of a restore that was killed
  std::filesystem::remove(copy.string() + "-journal", ignored);
  if (!std::filesystem::is_regular_file(backup, ignored)) {
    return Fail(ErrorCode::kNotFound, "no backup " + backup.string());
  }
  P402_TRY(CheckHeader(backup));
  P402_TRY(auto source, Database::Open({.file = backup, .access = Access::kReadImmutable}));
  P402_TRY(QuickCheck(*source));
  cleanup.Add(copy.string() + "-journal");
  cleanup.Add(copy);
  P402_TRY(CopyDatabase(*source, copy, {}));
  P402_TRY(auto database, Database::Open({.file = copy}));
  P402_TRY(Migrate(*database, random));
  P402_TRY(Probe(*database));
  return database;
}

Failure Resurrection(WallTime from, WallTime until, std::string_view why) {
  const std::string text = fmt::format(
      "{}: revocations and restrictions between {} and {} are unaccounted for, and keys revoked or "
      "restricted then would work again",
      why, FormatRfc3339(from), FormatRfc3339(until));
  return Failure(Error{.code = ErrorCode::kConflict,
                       .reason = "resurrection",
                       .detail = text,
                       .public_message = text,
                       .field = {}});
}

// Why the journal in `folder` cannot vouch for this backup; empty: it can.
Result<std::string> Distrust(const std::filesystem::path& folder, const StoreId& id,
                             JournalContent& content) {
  auto journal = ReadJournal(folder);
  if (!journal) {
    if (journal.error().code != ErrorCode::kNotFound) return Failure(std::move(journal).error());
    return "there is no journal of revocations";
  }
  if (journal->store_id != id) return "the journal of revocations is another database's";
  content = *std::move(journal);
  if (content.bad_line) {
    return fmt::format("line {} of the journal of revocations is damaged", *content.bad_line);
  }
  if (!content.is_whole) return "the end of the journal of revocations is damaged";
  return std::string();
}

std::optional<WallTime> LastTime(const JournalLines& lines) {
  std::optional<WallTime> latest;
  for (const auto& revocation : lines.revocations) {
    latest = std::max(latest, std::optional(revocation.revoked_at));
  }
  for (const auto& restriction : lines.restrictions) {
    latest = std::max(latest, std::optional(restriction.at));
  }
  return latest;
}

// The record that tells of the restore itself, in the first account's trail.
Status RecordRestore(Database& database, const RestoreReport& report, WallTime now) {
  P402_TRY(const auto accounts, ReadAccounts(database));
  if (accounts.empty()) return {};
  P402_TRY(database.Execute("BEGIN IMMEDIATE"));
  std::vector<AuditRecord> records;
  records.push_back(
      {.account = accounts.front().id,
       .actor = {.kind = key::ActorKind::kSystem, .id = "restore"},
       .action = "store.restore",
       .details = fmt::format(R"({{"backup_at":"{}","revoked_again":{},"restricted_again":{}}})",
                              FormatRfc3339(report.backup_at), report.revoked_again.size(),
                              report.restricted_again.size())});
  Status status = AppendAudit(database, std::move(records), now);
  if (status) status = database.Execute("COMMIT");
  if (!status) database.Rollback();
  return status;
}

Status ApplyJournal(Database& database, JournalContent content, const Clock& clock, Random& random,
                    RestoreReport& report) {
  P402_TRY(const Difference difference, Compare(database, std::move(content.lines)));
  P402_TRY(ApplyAgain(database, difference.not_in_database, clock, random));
  for (const auto& revocation : difference.not_in_database.revocations) {
    report.revoked_again.push_back(revocation.key);
  }
  for (const auto& restriction : difference.not_in_database.restrictions) {
    report.restricted_again.push_back(restriction.key);
  }
  P402_TRY(RecordRestore(database, report, clock.Now()));
  P402_TRY(const AuditVerdict verdict, VerifyChain(database, std::nullopt));
  if (!verdict.is_intact) {
    return Fail(ErrorCode::kCorrupt, "the audit chain of the backup: " + verdict.problem);
  }
  return {};
}

// Empties the write-ahead log into the old database, so that it is whole in one file. It may be too
// damaged for that; then its log is kept beside it.
void SettleOld(const std::filesystem::path& file) {
  auto old = Database::Open({.file = file});
  if (!old) return;
  auto ignored = (*old)->Execute("PRAGMA wal_checkpoint(TRUNCATE)");
  static_cast<void>(ignored.has_value());
}

// There is a whole database at p402.db at every moment, before and after.
Status Switch(const std::filesystem::path& folder, const std::filesystem::path& copy,
              WallTime now) {
  const auto file = DatabaseFile(folder);
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    SettleOld(file);
    const std::filesystem::path kept =
        fmt::format("{}.before-restore-{}", file.string(), now.time_since_epoch().count());
    if (link(file.c_str(), kept.c_str()) != 0) return SystemError(kept);
    if (std::filesystem::exists(WalOf(file), error) &&
        rename(WalOf(file).c_str(), WalOf(kept).c_str()) != 0) {
      Failure failure = SystemError(WalOf(kept));
      unlink(kept.c_str());
      return failure;
    }
    unlink(ShmOf(file).c_str());
    if (rename(copy.c_str(), file.c_str()) != 0) {
      Failure failure = SystemError(file);
      std::filesystem::rename(WalOf(kept), WalOf(file), error);
      unlink(kept.c_str());
      return failure;
    }
  } else if (rename(copy.c_str(), file.c_str()) != 0) {
    return SystemError(file);
  }
  return SyncFolder(folder);
}

// A journal that does not belong to this database is kept aside: the next Open begins a new one.
Status SetJournalAside(const std::filesystem::path& folder, WallTime now) {
  const auto journal = folder / kJournalName;
  const std::filesystem::path kept =
      fmt::format("{}.before-restore-{}", journal.string(), now.time_since_epoch().count());
  if (rename(journal.c_str(), kept.c_str()) != 0 && errno != ENOENT) return SystemError(journal);
  return {};
}

Result<RestoreReport> RestoreLocked(const RestoreOptions& options, Cleanup& cleanup,
                                    const Clock& clock, Random& random) {
  const std::filesystem::path copy = options.folder / "p402.db.restoring";
  RestoreReport report;
  bool is_journal_ours = false;
  {
    P402_TRY(auto database, MakeCopy(options.backup, copy, cleanup, random));
    P402_TRY(report.backup_at, LastChange(*database));
    P402_TRY(const StoreId id, ReadStoreId(*database));
    JournalContent content;
    P402_TRY(const std::string distrust, Distrust(options.folder, id, content));
    is_journal_ours = content.store_id == id;
    report.journal_until = LastTime(content.lines);
    if (!distrust.empty() && !options.accept_resurrection) {
      return Resurrection(report.backup_at, clock.Now(), distrust);
    }
    P402_TRY(ApplyJournal(*database, std::move(content), clock, random, report));
    P402_TRY(report.keys, database->ReadInt("SELECT count(*) FROM keys"));
  }
  P402_TRY(Switch(options.folder, copy, clock.Now()));
  cleanup.Forget();
  if (!is_journal_ours) P402_TRY(SetJournalAside(options.folder, clock.Now()));
  return report;
}

Result<AuditVerdict> VerifyFile(const std::filesystem::path& file, Access access,
                                std::optional<key::Digest> anchor) {
  P402_TRY(CheckHeader(file));
  P402_TRY(auto database, Database::Open({.file = file, .access = access}));
  P402_TRY(const int64_t version, database->ReadInt("PRAGMA user_version"));
  if (version != kSchemaVersion) {
    return Fail(ErrorCode::kConflict,
                fmt::format("the database has schema version {}, but this program verifies {}: "
                            "start the server once to migrate it",
                            version, kSchemaVersion));
  }
  P402_TRY(QuickCheck(*database));
  return VerifyChain(*database, anchor);
}

}  // namespace

Result<RestoreReport> Restore(const RestoreOptions& options, const Clock& clock, Random& random,
                              Log& log) {
  std::error_code error;
  const bool is_new_folder = !std::filesystem::exists(options.folder, error);
  P402_TRY(auto lock, FolderLock::Acquire(options.folder));
  Cleanup cleanup;
  if (is_new_folder) {
    cleanup.Add(options.folder);
    cleanup.Add(options.folder / "lock");
  }
  P402_TRY(auto report, RestoreLocked(options, cleanup, clock, random));
  log.Warning("store.restored", {{"backup_at", FormatRfc3339(report.backup_at)},
                                 {"keys", report.keys},
                                 {"revoked_again", report.revoked_again.size()},
                                 {"restricted_again", report.restricted_again.size()}});
  return report;
}

Result<AuditVerdict> VerifyAudit(const std::filesystem::path& folder,
                                 std::optional<key::Digest> anchor) {
  const auto file = DatabaseFile(folder);
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    return Fail(ErrorCode::kNotFound, "no database in " + folder.string());
  }
  // Nobody has the database open if it has no write-ahead log; then it is read without making one,
  // so that a folder that cannot be written can be verified. With one, readers share it.
  if (!std::filesystem::exists(WalOf(file), error)) {
    auto verdict = VerifyFile(file, Access::kReadImmutable, anchor);
    // A server that has started meanwhile may have moved pages under the reading.
    if (!std::filesystem::exists(WalOf(file), error)) return verdict;
  }
  return VerifyFile(file, Access::kRead, anchor);
}

}  // namespace p402::store::sqlite
