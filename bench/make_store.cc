// Makes a data folder with many keys, in minutes instead of days: make_store --help.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "bench/numbered_key.h"
#include "store/audit_chain.h"
#include "store/sqlite/audit_rows.h"
#include "store/sqlite/database.h"
#include "store/sqlite/files.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/sqlite_store.h"

namespace p402::bench {
namespace {

namespace sqlite = store::sqlite;

constexpr int64_t kFirstMs = 1'767'225'600'000;  // 2026-01-01T00:00:00Z
constexpr int kCacheKib = 1024 * 1024;
constexpr int64_t kKeysPerTransaction = 100'000;

struct Options {
  std::filesystem::path folder;
  int64_t keys = 1000;
  uint64_t seed = 1;
  bool has_history = false;
};

// The same bits for the same seed; the log's tags need nothing better.
class SeededTags final : public Random {
 public:
  explicit SeededTags(uint64_t seed) : seed_(seed) {}
  void Fill(std::span<uint8_t> out) override {
    for (size_t done = 0; done < out.size();) {
      const auto bytes = key::DigestOf(fmt::format("p402-bench-tag {} {}", seed_, next_++));
      for (size_t i = 0; i < bytes.size() && done < out.size(); ++i) out[done++] = bytes[i];
    }
  }

 private:
  uint64_t seed_;
  uint64_t next_ = 0;
};

// What real keys look like: most have an owner, few have metadata or an expiry. Every one is valid
// whatever is asked.
Result<key::Record> MakeRecord(const Options& options, const key::AccountId& account,
                               int64_t number) {
  const auto at = static_cast<uint64_t>(number);
  key::Record record;
  record.id.uuid = KeyUuid(options.seed, at, kFirstMs);
  record.account = account;
  const std::string raw_key = RawKey(options.seed, at);
  record.digest = key::DigestOf(raw_key);
  record.prefix = raw_key.substr(0, raw_key.size() - 32);
  record.created_at = WallTime(Millis(kFirstMs + number));
  record.version = number + 2;  // 1 is the account
  if (number == 0) {
    record.name = "first key";
    record.created_by = {.kind = key::ActorKind::kSystem, .id = "init"};
    P402_TRY(record.scopes, key::ScopeSet::ParseText("*"));
    return record;
  }
  constexpr std::string_view kScopes[] = {"", "orders:read", "orders:read orders:write"};
  record.name = fmt::format("key number {}", number);
  P402_TRY(record.scopes, key::ScopeSet::ParseText(kScopes[number % 3]));
  if (number % 4 != 0) record.owner = fmt::format("customer-{}", number / 4);
  if (number % 8 == 1) record.metadata = fmt::format(R"({{"plan":"pro","seat":{}}})", number);
  if (number % 16 == 2) record.expires_at = WallTime(Millis(4'102'444'800'000));  // 2100-01-01
  const key::KeyId first{.uuid = KeyUuid(options.seed, 0, kFirstMs)};
  record.created_by = {.kind = key::ActorKind::kKey, .id = first.ToString()};
  return record;
}

// Fills the tables of a store that is open nowhere else.
class Filling {
 public:
  Filling(const Options& options, sqlite::Database& database)
      : options_(options), database_(database), tags_(options.seed) {
    account_.id.uuid = KeyUuid(options.seed + 1, 0, kFirstMs);
    account_.name = "default";
    account_.is_first = true;
    account_.created_at = WallTime(Millis(kFirstMs));
  }

  Status Run() {
    // No journal on disk and no fsync: a store that was not finished is thrown away.
    P402_TRY(database_.Execute("PRAGMA synchronous=OFF"));
    P402_TRY(DropIndexes());
    P402_TRY(database_.Execute("BEGIN"));
    P402_TRY(AddAccount());
    for (int64_t number = 0; number < options_.keys; ++number) {
      P402_TRY(AddKey(number));
      if (number % kKeysPerTransaction == 0) P402_TRY(database_.Execute("COMMIT; BEGIN"));
    }
    P402_TRY(sqlite::WriteHead(database_, 0, head_));
    P402_TRY(database_.Execute("COMMIT"));
    for (const auto& sql : indexes_) P402_TRY(database_.Execute(sql));
    return {};
  }

 private:
  // Sorting once is a lot quicker than inserting everywhere.
  Status DropIndexes() {
    std::vector<std::string> names;
    {
      P402_TRY(sqlite::Query query,
               database_.Prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND "
                                 "tbl_name IN ('keys', 'audit') AND sql IS NOT NULL"));
      for (;;) {
        P402_TRY(const bool has_row, query.Step());
        if (!has_row) break;
        names.emplace_back(query.Text(0));
        indexes_.emplace_back(query.Text(1));
      }
    }
    for (const auto& name : names) P402_TRY(database_.Execute("DROP INDEX " + name));
    return {};
  }

  Status AddAccount() {
    P402_TRY(sqlite::InsertAccount(database_, account_));
    P402_TRY(Append({.kind = store::ChangeKind::kAccount,
                     .at = account_.created_at,
                     .account = account_.id,
                     .subject = account_.id.ToString()}));
    return Audit("account.create", account_.id.ToString(), account_.created_at);
  }

  Status AddKey(int64_t number) {
    P402_TRY(const auto record, MakeRecord(options_, account_.id, number));
    P402_TRY(sqlite::WriteKey(database_, record));
    if (number % 4 != 3) {  // three of four were used
      P402_TRY(sqlite::WriteMark(database_, record.id, record.created_at + Millis(60'000)));
    }
    const bool is_last = number + 1 == options_.keys;
    if (!options_.has_history && number > 0 && !is_last) {
      ++head_.seq;  // as if the log had been trimmed
      return {};
    }
    P402_TRY(Append({.kind = store::ChangeKind::kPermit,
                     .at = record.created_at,
                     .account = account_.id,
                     .subject = record.id.ToString(),
                     .payload = key::EncodeRecord(record)}));
    return Audit("key.create", record.id.ToString(), record.created_at);
  }

  Status Append(store::Change change) {
    head_ = {.seq = head_.seq + 1, .tag = tags_.Next64()};
    change.seq = head_.seq;
    change.tag = head_.tag;
    return sqlite::InsertChange(database_, change);
  }

  Status Audit(std::string action, std::string subject, WallTime at) {
    return sqlite::AppendAudit(database_,
                               {{.account = account_.id,
                                 .actor = {.kind = key::ActorKind::kSystem, .id = "bench"},
                                 .action = std::move(action),
                                 .subject = std::move(subject),
                                 .details = "{}"}},
                               at);
  }

  const Options& options_;
  sqlite::Database& database_;
  SeededTags tags_;
  store::Account account_;
  store::Head head_;
  std::vector<std::string> indexes_;
};

Status MakeStore(const Options& options) {
  const auto file = sqlite::DatabaseFile(options.folder);
  if (std::filesystem::exists(file)) {
    return Fail(ErrorCode::kConflict, file.string() + " exists");
  }
  {
    // The store itself makes the folder, the schema, the store id and the journal.
    const RealClock clock;
    SystemRandom random;
    NullLog log;
    const auto metrics = Metrics::Create();
    P402_TRY(const auto store,
             sqlite::Open({.folder = options.folder}, clock, random, log, *metrics));
  }
  P402_TRY(const auto lock, FolderLock::Acquire(options.folder));
  P402_TRY(const auto database, sqlite::Database::Open({.file = file, .cache_kib = kCacheKib}));
  P402_TRY(Filling(options, *database).Run());
  return database->Execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

int Run(int argc, char** argv) {
  Options options;
  int64_t show_from = -1;
  CLI::App app(
      "Makes a data folder with many keys for measurements. The raw key of each follows from the\n"
      "seed and its number (bench/numbered_key.h); number 0 may do everything in the account.\n\n"
      "  make_store --data DIR --keys 1000000      makes it, and prints key number 0\n"
      "  make_store --show 5 --keys 3              prints the raw keys number 5, 6 and 7");
  app.add_option("--data", options.folder, "the folder to make");
  app.add_option("--keys", options.keys, "how many")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 31));
  app.add_option("--seed", options.seed, "of the raw keys and ids");
  app.add_flag(
      "--history", options.has_history,
      "an entry of the log and an audit record for every key, not only for the first and the "
      "last");
  app.add_option("--show", show_from, "print raw keys from this number on, and make nothing");
  CLI11_PARSE(app, argc, argv);
  if (show_from >= 0) {
    for (int64_t i = 0; i < options.keys; ++i) {
      std::puts(RawKey(options.seed, static_cast<uint64_t>(show_from + i)).c_str());
    }
    return 0;
  }
  if (options.folder.empty()) return fmt::print(stderr, "make_store: --data is missing\n"), 2;
  const auto made = MakeStore(options);
  if (!made) {
    fmt::print(stderr, "make_store: {}\n", made.error().detail);
    return 1;
  }
  std::puts(RawKey(options.seed, 0).c_str());
  return 0;
}

}  // namespace
}  // namespace p402::bench

int main(int argc, char** argv) {
  return p402::bench::Run(argc, argv);
}
