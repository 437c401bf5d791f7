#pragma once

#include <optional>
#include <vector>

#include "store/audit.h"
#include "store/sqlite/database.h"
#include "store/transaction.h"

// The tables of the audit trail.
namespace p402::store::sqlite {

Result<std::vector<AuditRecord>> ReadAudit(Database& database, const AuditQuery& query);
Result<std::optional<AuditRecord>> ReadLastAudit(Database& database);
Result<AuditHead> ReadAuditHead(Database& database);
// Chains the records to the head and moves it.
Status AppendAudit(Database& database, std::vector<AuditRecord> records, WallTime now);
// Returns how many records it deleted.
Result<int64_t> PruneAudit(Database& database, AuditPruning pruning, WallTime now);
// Hashes the whole chain as one snapshot has it.
// Requires: no transaction is open.
Result<AuditVerdict> VerifyChain(Database& database, std::optional<key::Digest> anchor);

}  // namespace p402::store::sqlite
