#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "key/digest.h"
#include "key/ids.h"

namespace p402::store::sqlite {

// What SQLite's result code means to the rest of the program. `what` says what was being done.
Error SqliteError(int code, std::string_view what, std::string_view message);

// A prepared statement in use. Destruction resets it, so that no read transaction lingers.
// Threads:  those of its Database.
// Lifetime: shorter than its Database.
class Query {
 public:
  explicit Query(sqlite3_stmt* statement) : statement_(statement) {}
  Query(Query&& other) noexcept;
  Query& operator=(Query&&) = delete;
  ~Query();

  // Binds the values in order to ?1, ?2, … A failure shows in the next Step.
  template <class... T>
  Query& Bind(const T&... values) {
    int place = 0;
    (BindAt(++place, values), ...);
    return *this;
  }
  void BindAt(int place, int64_t value);
  void BindAt(int place, int value) { BindAt(place, static_cast<int64_t>(value)); }
  void BindAt(int place, size_t value) { BindAt(place, static_cast<int64_t>(value)); }
  void BindAt(int place, WallTime value) { BindAt(place, value.time_since_epoch().count()); }
  void BindAt(int place, std::string_view text);
  void BindAt(int place, const std::string& text) { BindAt(place, std::string_view(text)); }
  void BindAt(int place, std::span<const uint8_t> bytes);
  void BindAt(int place, const Uuid& uuid) { BindAt(place, std::span<const uint8_t>(uuid)); }
  void BindAt(int place, const key::Digest& hash) { BindAt(place, std::span<const uint8_t>(hash)); }
  void BindAt(int place, std::nullopt_t) { Check(sqlite3_bind_null(statement_, place)); }
  template <class T>
  void BindAt(int place, const std::optional<T>& value) {
    if (value) {
      BindAt(place, *value);
    } else {
      BindAt(place, std::nullopt);
    }
  }

  // True: there is a row to read.
  Result<bool> Step();
  // Runs a statement that answers no row, or whose rows do not matter.
  Status Run();

  // The columns of the present row, from 0. Lifetime of texts and bytes: until the next Step.
  bool IsNull(int column) const;
  int64_t Int(int column) const;
  WallTime Time(int column) const { return WallTime(Millis(Int(column))); }
  std::optional<WallTime> OptionalTime(int column) const;
  std::string_view Text(int column) const;
  std::span<const uint8_t> Bytes(int column) const;
  // Errors: kCorrupt unless the column has exactly the bytes of `out`.
  Status Fixed(int column, std::span<uint8_t> out) const;

 private:
  void Check(int code) {
    if (code != SQLITE_OK && bind_code_ == SQLITE_OK) bind_code_ = code;
  }

  sqlite3_stmt* statement_;
  int bind_code_ = SQLITE_OK;
};

enum class Access { kReadWrite, kRead, kReadImmutable };

struct DatabaseOptions {
  std::filesystem::path file;  // exists
  Access access = Access::kReadWrite;
  bool synchronous_full = true;
  std::string vfs = {};
  int cache_kib = 16 * 1024;
};

// One connection with its prepared statements.
// Threads: one at a time.
class Database {
 public:
  static Result<std::unique_ptr<Database>> Open(const DatabaseOptions& options);
  // A database in memory, to compare schemas with.
  static Result<std::unique_ptr<Database>> OpenInMemory();
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // A cached statement.
  // Requires: no other Query of the same text is in use.
  Result<Query> Prepare(std::string_view sql);
  // Runs statements without parameters: schema and pragmas.
  Status Execute(const std::string& sql);
  Result<int64_t> ReadInt(std::string_view sql);
  // Rows that the last statement changed.
  int64_t changes() const { return sqlite3_changes64(handle_); }
  // Rows that all statements so far changed.
  int64_t total_changes() const { return sqlite3_total_changes64(handle_); }
  bool is_in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }
  // Ends the transaction that is open, if any.
  void Rollback();
  sqlite3* handle() { return handle_; }

 private:
  explicit Database(sqlite3* handle) : handle_(handle) {}
  Error LastError(std::string_view what) const;

  sqlite3* handle_;
  struct TextHash {
    using is_transparent = void;  // found without making a string
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, sqlite3_stmt*, TextHash, std::equal_to<>> statements_;
};

}  // namespace p402::store::sqlite
