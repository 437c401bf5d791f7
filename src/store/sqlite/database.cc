#include "store/sqlite/database.h"

#include <fmt/format.h>

#include <cstring>

#include "base/text.h"

namespace p402::store::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

ErrorCode CodeOf(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return ErrorCode::kResourceExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kUnavailable;
    case SQLITE_CONSTRAINT:
      return ErrorCode::kConflict;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PROTOCOL:
      return ErrorCode::kIo;
    default:
      return ErrorCode::kInternal;
  }
}

// A URI is the only way to ask for immutable.
std::string FileUri(const std::filesystem::path& file, bool is_immutable) {
  std::string uri = "file:";
  for (const auto& part : std::filesystem::absolute(file).relative_path()) {
    uri += "/" + PercentEncode(part.string());
  }
  return is_immutable ? uri + "?immutable=1" : uri;
}

}  // namespace

Error SqliteError(int code, std::string_view what, std::string_view message) {
  return {.code = CodeOf(code), .detail = fmt::format("sqlite, {}: {} ({})", what, message, code)};
}

Query::Query(Query&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)), bind_code_(other.bind_code_) {}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Query::BindAt(int place, int64_t value) {
  Check(sqlite3_bind_int64(statement_, place, value));
}

void Query::BindAt(int place, std::string_view text) {
  // A null pointer would bind NULL instead of the empty text.
  const char* data = text.data() == nullptr ? "" : text.data();
  Check(sqlite3_bind_text64(statement_, place, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Query::BindAt(int place, std::span<const uint8_t> bytes) {
  Check(sqlite3_bind_blob64(statement_, place, bytes.data(), bytes.size(), SQLITE_TRANSIENT));
}

Result<bool> Query::Step() {
  const int code = bind_code_ == SQLITE_OK ? sqlite3_step(statement_) : bind_code_;
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite3* handle = sqlite3_db_handle(statement_);
  const std::string message = sqlite3_errmsg(handle);
  const int extended = sqlite3_extended_errcode(handle);
  sqlite3_reset(statement_);
  return Failure(SqliteError(bind_code_ == SQLITE_OK ? extended : bind_code_,
                             sqlite3_sql(statement_), message));
}

Status Query::Run() {
  for (;;) {
    P402_TRY(const bool has_row, Step());
    if (!has_row) return {};
  }
}

bool Query::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

int64_t Query::Int(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::optional<WallTime> Query::OptionalTime(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Time(column);
}

std::string_view Query::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

std::span<const uint8_t> Query::Bytes(int column) const {
  const auto* bytes = static_cast<const uint8_t*>(sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

Status Query::Fixed(int column, std::span<uint8_t> out) const {
  const auto bytes = Bytes(column);
  if (bytes.size() != out.size()) {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("column {} has {} bytes instead of {}",
                            sqlite3_column_name(statement_, column), bytes.size(), out.size()));
  }
  std::memcpy(out.data(), bytes.data(), out.size());
  return {};
}

Result<std::unique_ptr<Database>> Database::Open(const DatabaseOptions& options) {
  const bool is_writer = options.access == Access::kReadWrite;
  const int flags = (is_writer ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE;
  sqlite3* handle = nullptr;
  const std::string uri = FileUri(options.file, options.access == Access::kReadImmutable);
  const int code = sqlite3_open_v2(uri.c_str(), &handle, flags,
                                   options.vfs.empty() ? nullptr : options.vfs.c_str());
  std::unique_ptr<Database> database(new Database(handle));
  if (code != SQLITE_OK) {
    return Failure(SqliteError(code, "open", handle ? sqlite3_errmsg(handle) : "out of memory"));
  }
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  // A reader must not touch what it only came to look at.
  if (!is_writer) sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  P402_TRY(database->Execute(fmt::format("PRAGMA cache_size=-{}", options.cache_kib)));
  P402_TRY(database->Execute("PRAGMA cell_size_check=ON"));
  // Sorting and undoing a statement would leave rows in files of the system's temporary folder.
  P402_TRY(database->Execute("PRAGMA temp_store=MEMORY"));
  P402_TRY(database->Execute(options.synchronous_full ? "PRAGMA synchronous=FULL"
                                                      : "PRAGMA synchronous=NORMAL"));
  return database;
}

Result<std::unique_ptr<Database>> Database::OpenInMemory() {
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(":memory:", &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> database(new Database(handle));
  if (code != SQLITE_OK) return Failure(SqliteError(code, "open in memory", "failed"));
  return database;
}

Database::~Database() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

Error Database::LastError(std::string_view what) const {
  return SqliteError(sqlite3_extended_errcode(handle_), what, sqlite3_errmsg(handle_));
}

Result<Query> Database::Prepare(std::string_view sql) {
  auto it = statements_.find(sql);
  if (it == statements_.end()) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return Failure(LastError(sql));
    it = statements_.emplace(std::string(sql), statement).first;
  }
  return Query(it->second);
}

Status Database::Execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return Failure(LastError(sql));
  }
  return {};
}

Result<int64_t> Database::ReadInt(std::string_view sql) {
  P402_TRY(Query query, Prepare(sql));
  P402_TRY(const bool has_row, query.Step());
  if (!has_row) return Fail(ErrorCode::kCorrupt, fmt::format("no row: {}", sql));
  return query.Int(0);
}

void Database::Rollback() {
  // If this fails, SQLite has rolled back by itself: a transaction never survives its error.
  if (is_in_transaction()) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace p402::store::sqlite
