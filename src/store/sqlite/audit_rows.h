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
Status WriteAuditHead(Database& database, const AuditHead& head);
// Chains the records to `head` and moves it, but not the one in its table.
Status ChainAudit(Database& database, AuditHead& head, std::vector<AuditRecord> records,
                  WallTime now);
// The same with the head in its table.
Status AppendAudit(Database& database, std::vector<AuditRecord> records, WallTime now);
// Returns how many records it deleted. Tells of it in a record that it chains to `head`.
Result<int64_t> PruneAudit(Database& database, AuditHead& head, AuditPruning pruning, WallTime now);
// Hashes the whole chain as one snapshot has it.
// Requires: no transaction is open.
Result<AuditVerdict> VerifyChain(Database& database, std::optional<key::Digest> anchor);

}  // namespace p402::store::sqlite
