#include "store/sqlite/sqlite_store.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/file.h"
#include "base/limits.h"
#include "store/sqlite/backup.h"
#include "store/sqlite/facets.h"
#include "store/sqlite/files.h"
#include "store/sqlite/reconcile.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/schema.h"

namespace p402::store::sqlite {
namespace {

constexpr int kWriterCacheKib = 64 * 1024;
// A long reading keeps the log from being reset; afterwards the file shrinks to this again.
constexpr int64_t kWalLimitBytes = 64 * 1024 * 1024;

class SqliteStore final : public Store {
 public:
  // The members are destroyed from the last to the first: first what was accepted is finished, at
  // last the lock goes.
  SqliteStore(const StoreId& id, std::unique_ptr<FolderLock> lock, std::unique_ptr<MarkLog> marks,
              std::unique_ptr<Writer> writer, std::unique_ptr<Readers> readers,
              std::unique_ptr<Readers> slow, std::string vfs)
      : id_(id),
        lock_(std::move(lock)),
        marks_(std::move(marks)),
        writer_(std::move(writer)),
        readers_(std::move(readers)),
        slow_(std::move(slow)),
        vfs_(std::move(vfs)) {}

  const Uuid& id() const override { return id_; }
  void Commit(Plan plan, Callback<Result<Committed>> done) override {
    writer_->Add(CommitJob{.plan = std::move(plan), .done = std::move(done)});
  }
  Keys& keys() override { return keys_; }
  Accounts& accounts() override { return accounts_; }
  ChangeLog& log() override { return log_; }
  Usage& usage() override { return usage_; }
  Audit& audit() override { return audit_; }

  void Backup(std::filesystem::path target, Callback<Status> done) override {
    slow_->Add([target = std::move(target), vfs = vfs_,
                done = std::move(done)](Database& database) mutable {
      std::move(done)(CopyDatabase(database, target, vfs));
    });
  }

 private:
  const StoreId id_;
  std::unique_ptr<FolderLock> lock_;
  std::unique_ptr<MarkLog> marks_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Readers> readers_;
  std::unique_ptr<Readers> slow_;  // backups and verifications: they must not hold up the readers
  std::string vfs_;
  SqliteKeys keys_{*readers_, *marks_};
  SqliteAccounts accounts_{*readers_};
  SqliteLog log_{*readers_};
  SqliteUsage usage_{*writer_};
  SqliteAudit audit_{*readers_, *slow_};
};

bool IsPresent(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  return !error && size > 0;
}

// A folder that knows of changes but has no database lost it: a new one beside that journal
// would look like a working server without a single key.
Status CheckNotLost(const std::filesystem::path& folder) {
  auto journal = ReadJournal(folder);
  if (!journal) {
    if (journal.error().code == ErrorCode::kNotFound) return {};
    return Failure(std::move(journal).error());
  }
  if (journal->lines.empty()) return {};
  return Fail(ErrorCode::kCorrupt,
              fmt::format("{} is not empty but there is no database: restore a backup",
                          (folder / kJournalName).string()));
}

Result<std::unique_ptr<Database>> OpenWriter(const Options& options, Random& random) {
  P402_TRY(auto database, Database::Open({.file = DatabaseFile(options.folder),
                                          .synchronous_full = options.synchronous_full,
                                          .vfs = options.vfs,
                                          .cache_kib = kWriterCacheKib}));
  {
    P402_TRY(Query query, database->Prepare("PRAGMA journal_mode=WAL"));
    P402_TRY(const bool has_row, query.Step());
    if (!has_row || query.Text(0) != "wal") {
      return Fail(ErrorCode::kIo, "the database cannot have a write-ahead log here");
    }
  }
  P402_TRY(database->Execute(fmt::format("PRAGMA journal_size_limit={}", kWalLimitBytes)));
  P402_TRY(Migrate(*database, random));
  P402_TRY(Probe(*database));
  return database;
}

// Afterwards the journal and the database tell of the same revocations and restrictions.
Status Reconcile(Database& database, Journal& journal, const Clock& clock, Random& random,
                 Log& log) {
  P402_TRY(const Difference difference, Compare(database, journal.TakeFound()));
  const JournalLines& missing = difference.not_in_journal;
  if (!missing.empty()) {
    log.Warning("store.journal_completed", {{"revocations", missing.revocations.size()},
                                            {"restrictions", missing.restrictions.size()}});
    P402_TRY(journal.Append(missing));
  }
  const JournalLines& undone = difference.not_in_database;
  if (undone.empty()) return {};
  log.Error("store.revoked_again",
            {{"reason", "the database is older than the journal of revocations"},
             {"revocations", undone.revocations.size()},
             {"restrictions", undone.restrictions.size()}});
  P402_TRY(const auto written, ApplyAgain(database, undone, clock, random));
  return journal.Append(written);
}

Result<std::unique_ptr<Readers>> OpenReaders(const Options& options, const char* name, int count) {
  std::vector<std::unique_ptr<Database>> databases;
  for (int i = 0; i < count; ++i) {
    P402_TRY(auto database, Database::Open({.file = DatabaseFile(options.folder),
                                            .access = Access::kRead,
                                            .vfs = options.vfs}));
    // The schema is read now, so that a folder that cannot be read fails here.
    P402_TRY(database->ReadInt("SELECT count(*) FROM head"));
    databases.push_back(std::move(database));
  }
  return std::make_unique<Readers>(name, std::move(databases));
}

Status PurgeIdempotency(Database& database, WallTime now) {
  P402_TRY(Query query, database.Prepare("DELETE FROM idempotency WHERE at <= ?1"));
  return query.Bind(now - limits::kIdempotencyRetention).Run();
}

Result<std::unique_ptr<Store>> OpenLocked(const Options& options, std::unique_ptr<FolderLock> lock,
                                          const Clock& clock, Random& random, Log& log,
                                          Metrics& metrics) {
  P402_TRY(const int left, RemoveLeftBackups(options.folder));
  if (left > 0) log.Warning("store.left_backups_removed", {{"files", left}});
  const auto file = DatabaseFile(options.folder);
  if (!IsPresent(file)) P402_TRY(CheckNotLost(options.folder));
  P402_TRY(MakePrivateFile(file));
  P402_TRY(CheckHeader(file));
  P402_TRY(auto database, OpenWriter(options, random));
  P402_TRY(PurgeIdempotency(*database, clock.Now()));
  P402_TRY(const StoreId id, ReadStoreId(*database));
  P402_TRY(auto journal, Journal::Open(options.folder, id, options.vfs));
  if (const auto line = journal->bad_line()) {
    log.Error("store.journal_damaged", {{"line", *line}, {"file", std::string(kJournalName)}});
  }
  P402_TRY(Reconcile(*database, *journal, clock, random, log));
  P402_TRY(auto readers, OpenReaders(options, "store-read", std::max(options.readers, 1)));
  P402_TRY(auto slow, OpenReaders(options, "store-slow", 1));
  P402_TRY(auto marks, MarkLog::Load(*database, log, options.marks));
  auto writer = std::make_unique<Writer>(std::move(database), std::move(journal), *marks, clock,
                                         random, log, metrics);
  return std::make_unique<SqliteStore>(id, std::move(lock), std::move(marks), std::move(writer),
                                       std::move(readers), std::move(slow), options.vfs);
}

}  // namespace

Result<std::unique_ptr<Store>> Open(const Options& options, const Clock& clock, Random& random,
                                    Log& log, Metrics& metrics) {
  if (!options.create && !IsPresent(DatabaseFile(options.folder))) {
    return Fail(ErrorCode::kNotFound, "no database in " + options.folder.string());
  }
  P402_TRY(auto lock, FolderLock::Acquire(options.folder));
  return OpenLocked(options, std::move(lock), clock, random, log, metrics);
}

}  // namespace p402::store::sqlite
