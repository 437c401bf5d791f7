#pragma once

#include <optional>
#include <vector>

#include "store/audit.h"
#include "store/sqlite/database.h"

// The tables of the audit trail.
namespace p402::store::sqlite {

Result<std::vector<AuditRecord>> ReadAudit(Database& database, const AuditQuery& query);
Result<std::optional<AuditRecord>> ReadLastAudit(Database& database);
Result<AuditHead> ReadAuditHead(Database& database);
// Chains the records to the head and moves it.
Status AppendAudit(Database& database, std::vector<AuditRecord> records, WallTime now);
// Deletes the records older than `before` from the front of the chain, and says so in it by `by`.
Result<int64_t> PruneAudit(Database& database, WallTime before, AuditRecord by, WallTime now);
// Hashes the whole chain as one snapshot has it.
// Requires: no transaction is open.
Result<AuditVerdict> VerifyChain(Database& database, std::optional<key::Digest> anchor);

}  // namespace p402::store::sqlite
