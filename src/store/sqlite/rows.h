#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/audit.h"
#include "store/keys.h"
#include "store/log.h"
#include "store/sqlite/database.h"
#include "store/sqlite/mark_log.h"

// Between rows and the types of the interface; each function runs one statement.
namespace p402::store::sqlite {

// Readings of keys add `marks` to the rows.
Result<std::optional<key::Record>> ReadKey(Database& database, const key::KeyId& id,
                                           const LoggedMarks& marks);
Result<std::vector<key::Record>> ReadHeirs(Database& database, const key::KeyId& parent,
                                           size_t limit, const LoggedMarks& marks);
Result<KeyPage> ReadKeyPage(Database& database, const KeyPageRequest& request,
                            const LoggedMarks& marks);
Result<std::vector<key::Record>> ScanKeys(Database& database, const key::KeyId& after, size_t limit,
                                          const LoggedMarks& marks);
// Inserts or replaces.
// Errors: kConflict (digest, account, or an end to a revocation).
Status WriteKey(Database& database, const key::Record& record);

Result<std::optional<Account>> ReadAccount(Database& database, const key::AccountId& id);
Result<std::vector<Account>> ReadAccounts(Database& database);
Status InsertAccount(Database& database, const Account& account);

Result<Head> ReadHead(Database& database, int32_t shard);
Status WriteHead(Database& database, int32_t shard, const Head& head);
Result<std::vector<Change>> ReadLog(Database& database, int32_t shard, int64_t from, size_t limit);
Status InsertChange(Database& database, const Change& change);

// Entries at or before `expired` count as absent.
Result<std::optional<Idempotency>> ReadIdempotency(Database& database,
                                                   const key::AccountId& account,
                                                   const key::Digest& key_digest, WallTime expired);
Status WriteIdempotency(Database& database, const Idempotency& entry, WallTime expired);

// Raises the last use of a key, if there is such a key.
Status WriteMark(Database& database, const key::KeyId& key, WallTime at);

}  // namespace p402::store::sqlite
