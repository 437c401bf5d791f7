#include "store/sqlite/audit_rows.h"

#include <fmt/format.h>

#include <limits>

#include "store/audit_chain.h"

namespace p402::store::sqlite {
namespace {

#define P402_SELECT_AUDIT                                                                        \
  "SELECT number, at, account, actor_kind, actor_id, action, subject, details, ip, request_id, " \
  "previous, hash FROM audit "

Result<AuditRecord> ToAuditRecord(const Query& row) {
  AuditRecord record{.number = row.Int(0), .at = row.Time(1), .account = {}};
  P402_TRY(row.Fixed(2, record.account.uuid));
  const int64_t kind = row.Int(3);
  if (kind < 1 || kind > 3) {
    return Fail(ErrorCode::kCorrupt, fmt::format("record {} has an unknown actor", record.number));
  }
  record.actor = {.kind = static_cast<key::ActorKind>(kind), .id = std::string(row.Text(4))};
  record.action = row.Text(5);
  record.subject = row.Text(6);
  record.details = row.Text(7);
  record.ip = row.Text(8);
  record.request_id = row.Text(9);
  P402_TRY(row.Fixed(10, record.previous));
  P402_TRY(row.Fixed(11, record.hash));
  return record;
}

Status InsertAudit(Database& database, const AuditRecord& record) {
  P402_TRY(Query query, database.Prepare("INSERT INTO audit VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, "
                                         "?8, ?9, ?10, ?11, ?12)"));
  return query
      .Bind(record.number, record.at, record.account.uuid, static_cast<int64_t>(record.actor.kind),
            record.actor.id, record.action, record.subject, record.details, record.ip,
            record.request_id, record.previous, record.hash)
      .Run();
}

Result<AuditHead> ReadPosition(Database& database, std::string_view sql) {
  P402_TRY(Query query, database.Prepare(sql));
  P402_TRY(const bool has_row, query.Step());
  if (!has_row) return Fail(ErrorCode::kCorrupt, "the audit chain has no head or checkpoint");
  AuditHead head{.number = query.Int(0)};
  P402_TRY(query.Fixed(1, head.hash));
  return head;
}

Result<AuditHead> ReadCheckpoint(Database& database) {
  return ReadPosition(database, "SELECT number, hash FROM audit_checkpoint WHERE id = 0");
}

Status MoveCheckpoint(Database& database, int64_t through) {
  P402_TRY(Query query,
           database.Prepare("UPDATE audit_checkpoint SET number = ?1, hash = (SELECT hash FROM "
                            "audit WHERE number = ?1)"));
  return query.Bind(through).Run();
}

Result<AuditVerdict> WalkChain(Database& database, std::optional<key::Digest> anchor) {
  P402_TRY(const AuditHead checkpoint, ReadCheckpoint(database));
  P402_TRY(const AuditHead head, ReadAuditHead(database));
  ChainVerifier verifier(checkpoint, anchor);
  P402_TRY(Query query, database.Prepare(P402_SELECT_AUDIT "ORDER BY number"));
  for (;;) {
    P402_TRY(const bool has_row, query.Step());
    if (!has_row) break;
    auto record = ToAuditRecord(query);
    if (!record) verifier.Break(record.error().detail);
    if (!record || !verifier.Add(*record)) break;
  }
  return std::move(verifier).Finish(head);
}

}  // namespace

Result<std::vector<AuditRecord>> ReadAudit(Database& database, const AuditQuery& query) {
  std::string sql = P402_SELECT_AUDIT "WHERE account = ?1 AND number < ?2";
  if (query.subject) sql += " AND subject = ?3";
  if (query.action) sql += " AND action = ?4";
  P402_TRY(Query rows, database.Prepare(sql + " ORDER BY number DESC LIMIT ?5"));
  rows.Bind(query.account.uuid, query.before.value_or(std::numeric_limits<int64_t>::max()));
  if (query.subject) rows.BindAt(3, *query.subject);
  if (query.action) rows.BindAt(4, *query.action);
  rows.BindAt(5, query.limit);
  std::vector<AuditRecord> records;
  for (;;) {
    P402_TRY(const bool has_row, rows.Step());
    if (!has_row) return records;
    P402_TRY(auto record, ToAuditRecord(rows));
    records.push_back(std::move(record));
  }
}

Result<std::optional<AuditRecord>> ReadLastAudit(Database& database) {
  P402_TRY(Query query, database.Prepare(P402_SELECT_AUDIT "ORDER BY number DESC LIMIT 1"));
  P402_TRY(const bool has_row, query.Step());
  if (!has_row) return std::nullopt;
  P402_TRY(auto record, ToAuditRecord(query));
  return record;
}

Result<AuditHead> ReadAuditHead(Database& database) {
  return ReadPosition(database, "SELECT number, hash FROM audit_head WHERE id = 0");
}

Status WriteAuditHead(Database& database, const AuditHead& head) {
  P402_TRY(Query query, database.Prepare("UPDATE audit_head SET number = ?1, hash = ?2"));
  return query.Bind(head.number, head.hash).Run();
}

Status ChainAudit(Database& database, AuditHead& head, std::vector<AuditRecord> records,
                  WallTime now) {
  for (auto& record : records) {
    head = Chain(head, now, record);
    P402_TRY(InsertAudit(database, record));
  }
  return {};
}

Status AppendAudit(Database& database, std::vector<AuditRecord> records, WallTime now) {
  P402_TRY(AuditHead head, ReadAuditHead(database));
  P402_TRY(ChainAudit(database, head, std::move(records), now));
  return WriteAuditHead(database, head);
}

Result<int64_t> PruneAudit(Database& database, AuditHead& head, AuditPruning pruning,
                           WallTime now) {
  P402_TRY(const AuditHead checkpoint, ReadCheckpoint(database));
  int64_t through = checkpoint.number;
  {
    // The clock may have stepped back: only a whole front of the chain can go.
    P402_TRY(Query query,
             database.Prepare("SELECT coalesce((SELECT number FROM audit WHERE at >= ?1 ORDER BY "
                              "number LIMIT 1) - 1, (SELECT max(number) FROM audit), 0)"));
    P402_TRY(query.Bind(pruning.before).Step());
    through = std::max(through, query.Int(0));
  }
  int64_t deleted = 0;
  if (through > checkpoint.number) {
    P402_TRY(MoveCheckpoint(database, through));
    P402_TRY(Query query, database.Prepare("DELETE FROM audit WHERE number <= ?1"));
    P402_TRY(query.Bind(through).Run());
    deleted = database.changes();
  }
  std::vector<AuditRecord> told;
  told.push_back(PruneRecord(std::move(pruning.by), deleted, through));
  P402_TRY(ChainAudit(database, head, std::move(told), now));
  return deleted;
}

Result<AuditVerdict> VerifyChain(Database& database, std::optional<key::Digest> anchor) {
  P402_TRY(database.Execute("BEGIN"));
  auto verdict = WalkChain(database, anchor);
  database.Rollback();
  return verdict;
}

}  // namespace p402::store::sqlite
