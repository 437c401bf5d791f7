#include "store/sqlite/facets.h"

#include <utility>

#include "store/sqlite/audit_rows.h"
#include "store/sqlite/rows.h"

namespace p402::store::sqlite {
namespace {

// Runs `read` on a reader's thread and completes `done` with its result.
template <class T, class Read>
void Ask(Readers& readers, Callback<Result<T>> done, Read read) {
  readers.Add([done = std::move(done), read = std::move(read)](Database& database) mutable {
    std::move(done)(read(database));
  });
}

}  // namespace

void SqliteKeys::Get(const key::AccountId& account, const key::KeyId& id,
                     Callback<Result<std::optional<key::Record>>> done) {
  Ask(readers_, std::move(done),
      [account, id,
       marks = marks_.Now()](Database& database) -> Result<std::optional<key::Record>> {
        P402_TRY(auto record, ReadKey(database, id, marks));
        if (record && record->account != account) return std::nullopt;
        return record;
      });
}

void SqliteKeys::List(KeyPageRequest request, Callback<Result<KeyPage>> done) {
  Ask(readers_, std::move(done),
      [request = std::move(request), marks = marks_.Now()](Database& database) {
        return ReadKeyPage(database, request, marks);
      });
}

void SqliteKeys::Scan(const key::KeyId& after, size_t limit,
                      Callback<Result<std::vector<key::Record>>> done) {
  Ask(readers_, std::move(done), [after, limit, marks = marks_.Now()](Database& database) {
    return ScanKeys(database, after, limit, marks);
  });
}

void SqliteKeys::Count(Callback<Result<int64_t>> done) {
  Ask(readers_, std::move(done),
      [](Database& database) { return database.ReadInt("SELECT count(*) FROM keys"); });
}

void SqliteAccounts::List(Callback<Result<std::vector<Account>>> done) {
  Ask(readers_, std::move(done), [](Database& database) { return ReadAccounts(database); });
}

void SqliteLog::ReadHead(int32_t shard, Callback<Result<Head>> done) {
  Ask(readers_, std::move(done),
      [shard](Database& database) { return sqlite::ReadHead(database, shard); });
}

void SqliteLog::Read(int32_t shard, int64_t from, size_t limit,
                     Callback<Result<std::vector<Change>>> done) {
  Ask(readers_, std::move(done),
      [shard, from, limit](Database& database) { return ReadLog(database, shard, from, limit); });
}

void SqliteUsage::Write(std::vector<UsageMark> marks, Callback<Status> done) {
  writer_.Add(MarkJob{.marks = std::move(marks), .done = std::move(done)});
}

void SqliteAudit::List(AuditQuery query, Callback<Result<std::vector<AuditRecord>>> done) {
  Ask(readers_, std::move(done),
      [query = std::move(query)](Database& database) { return ReadAudit(database, query); });
}

void SqliteAudit::ReadHead(Callback<Result<AuditHead>> done) {
  Ask(readers_, std::move(done), [](Database& database) { return ReadAuditHead(database); });
}

void SqliteAudit::Verify(std::optional<key::Digest> anchor, Callback<Result<AuditVerdict>> done) {
  Ask(slow_, std::move(done),
      [anchor](Database& database) { return VerifyChain(database, anchor); });
}

}  // namespace p402::store::sqlite
