#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "key/actor.h"
#include "key/ids.h"
#include "key/record.h"

namespace p402::store {

// What a change of the feed does. Stored: never renumber.
enum class ChangeKind : uint8_t {
  kRevoke = 1,
  kRestrict = 2,
  kPermit = 3,   // create, enable, widen
  kJoin = 4,     // a node joins (many nodes)
  kExpel = 5,    // a node is expelled (many nodes)
  kEpoch = 6,    // a mass revocation (reserved)
  kAccount = 7,  // an account was created
  kUpdate = 8,   // neither narrower nor wider: a name, metadata
};
std::string_view ChangeKindName(ChangeKind kind);

// One entry of the log: contiguous `seq` per shard in commit order, `tag` random (it tells
// histories apart).
struct Change {
  int32_t shard = 0;
  int64_t seq = 0;
  uint64_t tag = 0;
  ChangeKind kind = ChangeKind::kUpdate;
  WallTime at{};
  key::AccountId account;
  std::string subject = {};  // the id of the key or account
  std::string payload = {};  // key::EncodeRecord for a key; empty otherwise

  bool operator==(const Change&) const = default;
};

// The end of the log. An empty log has seq 0 and tag 0.
struct Head {
  int64_t seq = 0;
  uint64_t tag = 0;
  bool operator==(const Head&) const = default;
};

struct Account {
  key::AccountId id;
  std::string name = {};
  bool is_first = false;  // the only one that may hold accounts:write
  WallTime created_at{};
  bool operator==(const Account&) const = default;
};

// What a request that carried an Idempotency-Key made (A10). The raw Idempotency-Key is not stored.
struct Idempotency {
  key::AccountId account;
  key::Digest key_digest{};      // of actor id, newline, Idempotency-Key
  key::Digest request_digest{};  // of the canonical request
  key::KeyId created;
  WallTime at{};
  bool operator==(const Idempotency&) const = default;
};

// One record of the audit chain (S1).
struct AuditRecord {
  int64_t number = 0;  // 1, 2, 3 … over the whole store
  WallTime at{};
  key::AccountId account;
  key::Actor actor = {};
  std::string action =
      {};  // "key.create", "key.update", "key.revoke", "key.rotate", "account.create", …
  std::string subject = {};  // id of the key or account
  std::string details = {};  // compact JSON object: what changed; never a secret or a digest
  std::string ip = {};       // of the client; empty: none
  std::string request_id = {};
  key::Digest previous{};  // hash of the record before; zero for the first
  key::Digest hash{};      // AuditHash(*this)
  bool operator==(const AuditRecord&) const = default;
};

// The hash that chains a record: SHA-256 over `previous` and every field above `hash`, each with
// its length. Never change.
key::Digest AuditHash(const AuditRecord& record);

}  // namespace p402::store
