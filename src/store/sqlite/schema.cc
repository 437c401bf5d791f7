#include "store/sqlite/schema.h"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <string>
#include <vector>

#include "store/sqlite/audit_rows.h"
#include "store/sqlite/rows.h"

namespace p402::store::sqlite {
namespace {

// Ids and digests are blobs, times are ms since the epoch. Times, kinds and modes are the numbers
// of the C++ enums. Never change a step that was released: add one.
constexpr const char* kSteps[kSchemaVersion] = {
    // 1
    R"sql(
CREATE TABLE meta(
  name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE accounts(
  id BLOB PRIMARY KEY CHECK(length(id) = 16), name TEXT NOT NULL,
  is_first INTEGER NOT NULL, created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX accounts_first ON accounts(is_first) WHERE is_first = 1;
CREATE TABLE keys(
  id BLOB PRIMARY KEY CHECK(length(id) = 16),
  account BLOB NOT NULL REFERENCES accounts(id),
  digest BLOB NOT NULL CHECK(length(digest) = 32),
  prefix TEXT NOT NULL, name TEXT NOT NULL, mode INTEGER NOT NULL,
  scopes TEXT NOT NULL, allowed_cidrs TEXT NOT NULL, owner TEXT NOT NULL, metadata TEXT NOT NULL,
  created_at INTEGER NOT NULL, created_by_kind INTEGER NOT NULL, created_by_id TEXT NOT NULL,
  expires_at INTEGER, is_disabled INTEGER NOT NULL,
  revoked_at INTEGER, revoke_reason TEXT NOT NULL, rotated_from BLOB,
  version INTEGER NOT NULL, last_used_at INTEGER) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX keys_digest ON keys(digest);
CREATE INDEX keys_account ON keys(account, id);
CREATE INDEX keys_owner ON keys(account, owner, id) WHERE owner <> '';
CREATE INDEX keys_prefix ON keys(account, prefix);
CREATE INDEX keys_created_by ON keys(created_by_id, id) WHERE created_by_kind = 1;
CREATE INDEX keys_revoked ON keys(id, account, revoked_at, version)
  WHERE revoked_at IS NOT NULL;
CREATE TABLE log(
  shard INTEGER NOT NULL, seq INTEGER NOT NULL, tag INTEGER NOT NULL, kind INTEGER NOT NULL,
  at INTEGER NOT NULL, account BLOB NOT NULL, subject TEXT NOT NULL, payload BLOB NOT NULL,
  PRIMARY KEY(shard, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE head(
  shard INTEGER PRIMARY KEY, seq INTEGER NOT NULL, tag INTEGER NOT NULL) STRICT;
CREATE TABLE audit(
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, account BLOB NOT NULL,
  actor_kind INTEGER NOT NULL, actor_id TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
  details TEXT NOT NULL, ip TEXT NOT NULL, request_id TEXT NOT NULL,
  previous BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE INDEX audit_account ON audit(account, number);
CREATE INDEX audit_subject ON audit(account, subject, number);
CREATE TABLE audit_checkpoint(
  id INTEGER PRIMARY KEY CHECK(id = 0), number INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TABLE idempotency(
  account BLOB NOT NULL REFERENCES accounts(id), key_digest BLOB NOT NULL,
  request_digest BLOB NOT NULL, created BLOB NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY(account, key_digest)) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_at ON idempotency(at);
INSERT INTO head VALUES(0, 0, 0);
INSERT INTO audit_checkpoint VALUES(0, 0, zeroblob(32));
)sql",
    // 2: marks in a table of their own, so that writing them does not rewrite whole keys; and the
    // head of the audit chain beside the chain, so that a cut tail shows.
    R"sql(
CREATE TABLE usage(
  id BLOB PRIMARY KEY, account BLOB NOT NULL, last_used_at INTEGER NOT NULL)
  STRICT, WITHOUT ROWID;
INSERT INTO usage SELECT id, account, last_used_at FROM keys WHERE last_used_at IS NOT NULL;
ALTER TABLE keys DROP COLUMN last_used_at;
CREATE TABLE audit_head(
  id INTEGER PRIMARY KEY CHECK(id = 0), number INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
INSERT INTO audit_head SELECT 0, number, hash FROM audit_checkpoint;
INSERT OR REPLACE INTO audit_head SELECT 0, number, hash FROM audit ORDER BY number DESC LIMIT 1;
)sql",
    // 3: the last restriction of each key (ChangeKind::kRestrict), to compare with the journal.
    R"sql(
CREATE INDEX log_restrictions ON log(subject, seq, tag) WHERE kind = 2;
)sql",
    // 4: the heirs of a key are also those that it was rotated to.
    R"sql(
CREATE INDEX keys_rotated_from ON keys(rotated_from, id) WHERE rotated_from IS NOT NULL;
)sql",
    // 5: marks are written here first (mark_log.h).
    R"sql(
CREATE TABLE usage_log(number INTEGER PRIMARY KEY, marks BLOB NOT NULL) STRICT;
)sql"};

constexpr size_t kHeaderBytes = 100;
constexpr std::string_view kMagic{"SQLite format 3\0", 16};

uint32_t BigEndian32(std::string_view bytes) {
  uint32_t value = 0;
  for (char c : bytes.substr(0, 4)) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

Status CheckVersion(int64_t version) {
  if (version <= kSchemaVersion) return {};
  const std::string text =
      fmt::format("the database has schema version {}, but this program knows {} at most", version,
                  kSchemaVersion);
  return Failure(
      Error{.code = ErrorCode::kConflict, .detail = text, .public_message = text, .field = {}});
}

// While a write-ahead log waits, the file may rightly be shorter than its header says.
Status CheckLength(const std::filesystem::path& file, std::string_view header, uint64_t size) {
  std::error_code error;
  const auto wal = std::filesystem::file_size(file.string() + "-wal", error);
  const bool has_wal = !error && wal > 0;
  const bool is_count_valid = header.substr(24, 4) == header.substr(92, 4);
  if (has_wal || !is_count_valid) return {};
  uint64_t page_bytes = BigEndian32(header.substr(16, 4)) >> 16;
  if (page_bytes == 1) page_bytes = 65536;
  if (size < page_bytes * BigEndian32(header.substr(28, 4))) {
    return Fail(ErrorCode::kCorrupt, file.string() + " is shorter than its header says");
  }
  return {};
}

Result<std::vector<std::string>> ReadSchema(Database& database) {
  std::vector<std::string> schema;
  P402_TRY(Query query,
           database.Prepare("SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM "
                            "sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, "
                            "name"));
  for (;;) {
    P402_TRY(const bool has_row, query.Step());
    if (!has_row) return schema;
    schema.emplace_back(query.Text(0));
  }
}

class ZeroRandom final : public Random {
 public:
  void Fill(std::span<uint8_t> out) override { std::fill(out.begin(), out.end(), uint8_t{0}); }
};

Status CheckSchema(Database& database) {
  P402_TRY(auto model, Database::OpenInMemory());
  ZeroRandom random;
  P402_TRY(Migrate(*model, random));
  P402_TRY(auto expected, ReadSchema(*model));
  P402_TRY(auto actual, ReadSchema(database));
  if (expected != actual) {
    return Fail(ErrorCode::kCorrupt, "the schema of the database is not the one of its version");
  }
  return {};
}

Status RunStep(Database& database, Random& random, int32_t version) {
  P402_TRY(database.Execute("BEGIN IMMEDIATE"));
  auto status = [&]() -> Status {
    P402_TRY(database.Execute(kSteps[version - 1]));
    if (version == 1) {
      StoreId id;
      random.Fill(id);
      P402_TRY(Query query, database.Prepare("INSERT INTO meta VALUES('store_id', ?1)"));
      P402_TRY(query.Bind(id).Run());
      P402_TRY(database.Execute(fmt::format("PRAGMA application_id={}", kApplicationId)));
    }
    P402_TRY(database.Execute(fmt::format("PRAGMA user_version={}", version)));
    return database.Execute("COMMIT");
  }();
  if (!status) database.Rollback();
  return status;
}

}  // namespace

Status CheckHeader(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error) return Fail(ErrorCode::kIo, file.string() + ": " + error.message());
  if (size == 0) return {};
  std::string header(kHeaderBytes, '\0');
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Fail(ErrorCode::kIo, "cannot read " + file.string());
  stream.read(header.data(), static_cast<std::streamsize>(header.size()));
  if (stream.gcount() != static_cast<std::streamsize>(header.size()) ||
      !header.starts_with(kMagic)) {
    return Fail(ErrorCode::kCorrupt, file.string() + " is not a database");
  }
  // Before its first transaction is in the main file, a fresh database has no application id yet.
  const uint32_t application = BigEndian32(std::string_view(header).substr(68, 4));
  if (application != kApplicationId && application != 0) {
    return Fail(ErrorCode::kCorrupt, file.string() + " is another program's database");
  }
  P402_TRY(CheckVersion(BigEndian32(std::string_view(header).substr(60, 4))));
  return CheckLength(file, header, size);
}

Status Migrate(Database& database, Random& random) {
  return MigrateTo(database, random, kSchemaVersion);
}

Status MigrateTo(Database& database, Random& random, int32_t version) {
  P402_TRY(const int64_t application, database.ReadInt("PRAGMA application_id"));
  P402_TRY(const int64_t present, database.ReadInt("PRAGMA user_version"));
  P402_TRY(CheckVersion(present));
  P402_TRY(const int64_t objects, database.ReadInt("SELECT count(*) FROM sqlite_schema"));
  const bool is_fresh = application == 0 && present == 0 && objects == 0;
  if (!is_fresh && (application != kApplicationId || present < 1)) {
    return Fail(ErrorCode::kCorrupt, "this is another program's database");
  }
  for (auto step = static_cast<int32_t>(present) + 1; step <= version; ++step) {
    P402_TRY(RunStep(database, random, step));
  }
  return {};
}

Status Probe(Database& database) {
  P402_TRY(CheckSchema(database));
  P402_TRY(ReadStoreId(database));
  P402_TRY(const Head head, ReadHead(database, 0));
  P402_TRY(auto last, ReadLog(database, 0, std::max<int64_t>(head.seq, 1), 2));
  const bool log_fits =
      head.seq == 0 ? last.empty()
                    : last.size() == 1 && last[0].seq == head.seq && last[0].tag == head.tag;
  if (!log_fits) return Fail(ErrorCode::kCorrupt, "the change log does not end at its head");
  // A tampered chain must not stop the server: it is readable, and Verify tells what is wrong.
  P402_TRY(ReadAuditHead(database));
  P402_TRY(ReadLastAudit(database));
  return {};
}

Status QuickCheck(Database& database) {
  P402_TRY(Query query, database.Prepare("PRAGMA quick_check(1)"));
  P402_TRY(const bool has_row, query.Step());
  if (!has_row || query.Text(0) != "ok") {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("the database is damaged: {}", has_row ? query.Text(0) : "no answer"));
  }
  return {};
}

Result<StoreId> ReadStoreId(Database& database) {
  P402_TRY(Query query, database.Prepare("SELECT value FROM meta WHERE name = 'store_id'"));
  P402_TRY(const bool has_row, query.Step());
  if (!has_row) return Fail(ErrorCode::kCorrupt, "the database has no store id");
  StoreId id;
  P402_TRY(query.Fixed(0, id));
  return id;
}

}  // namespace p402::store::sqlite
