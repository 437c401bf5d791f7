#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/result.h"
#include "store/change.h"

namespace p402::store {

// What a plan may read: the store's rows as they will be at commit. Rows that were read stay as
// they are until the transaction ends (a row lock, or a single writer).
// Threads:  the store's; calls block.
// Lifetime: only during the plan.
class Transaction {
 public:
  virtual ~Transaction() = default;
  // The store's time; the same during the whole plan.
  virtual WallTime Now() = 0;
  virtual Result<std::optional<key::Record>> GetKey(const key::KeyId& id) = 0;
  // What the key `parent` would leave behind: keys whose created_by or rotated_from it is, unrevoked
  // or not, of whatever account, each once, ascending by id; at most `limit`.
  virtual Result<std::vector<key::Record>> HeirsOf(const key::KeyId& parent, size_t limit) = 0;
  virtual Result<std::optional<Account>> GetAccount(const key::AccountId& id) = 0;
  virtual Result<std::optional<Idempotency>> GetIdempotency(const key::AccountId& account,
                                                            const key::Digest& key_digest) = 0;
  // 0 on an empty store: then the next account is the first.
  virtual Result<int64_t> CountAccounts() = 0;
};

// One key as it is to be, and what that change is called in the log.
struct KeyWrite {
  key::Record record;  // `version` is filled by the store; `last_used_at` is ignored
  ChangeKind kind = ChangeKind::kUpdate;
};

// A whole change: all of it is committed, with its audit records, or none. Each KeyWrite and each
// account makes one log entry, in this order: accounts, then keys.
struct Writes {
  std::vector<Account> accounts = {};
  std::vector<KeyWrite> keys = {};
  std::optional<Idempotency> idempotency = {};
  // At least one; number, at, previous and hash are filled by the store.
  std::vector<AuditRecord> audit = {};
};

// Decides what to write, inside the transaction: here the actor is checked again (R2). An Error
// writes nothing and is what Commit answers. It may be called more than once (a serialization
// failure): only the last call counts.
using Plan = std::move_only_function<Result<Writes>(Transaction&)>;

struct Committed {
  int64_t seq = 0;  // of the last log entry of this change; the barrier to wait for
  uint64_t tag = 0;
  WallTime at{};
};

}  // namespace p402::store
