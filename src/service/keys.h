#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "feed/feed.h"
#include "service/caller.h"
#include "store/store.h"

namespace p402::service {

class UsageWriter;

// A change of a field: absent leaves it, a value sets it.
struct CreateRequest {
  std::string name;
  std::optional<key::Mode> mode = {};
  std::optional<std::vector<std::string>> scopes = {};
  std::optional<WallTime> expires_at = {};
  std::string metadata = {};  // compact JSON of an object; empty: none
  std::string owner = {};
  std::vector<std::string> allowed_cidrs = {};
  // A10: the header, and a digest of the canonical request body.
  std::optional<std::string> idempotency_key = {};
  key::Digest request_digest{};
};

struct UpdateRequest {
  std::optional<std::string> name = {};
  std::optional<std::string> metadata = {};  // empty text: none
  std::optional<std::string> owner = {};
  std::optional<std::vector<std::string>> scopes = {};
  std::optional<bool> disabled = {};
  std::optional<std::optional<WallTime>> expires_at = {};
  std::optional<std::vector<std::string>> allowed_cidrs = {};
};

struct RevokeRequest {
  std::string reason = {};
  bool cascade = false;
};

struct ListRequest {
  store::KeyFilter filter = {};  // `now`, and for a test key `mode`, are filled by the service
  std::optional<Millis> unused_for = {};
  std::string cursor = {};  // from ListResult::next_cursor
  size_t limit = limits::kPageDefault;
};

// How far a change has been obeyed (R1).
struct Enforcement {
  int64_t seq = 0;
  bool is_enforced = false;
  std::vector<std::string> pending_nodes = {};
  feed::BarrierReport report = {};
};

struct KeyResult {
  key::Record record;
  Enforcement enforcement = {};
};
struct CreatedKey {
  key::Record record;
  Secret raw_key;  // K4: leaves the process once, in this answer
  Enforcement enforcement = {};
};
struct RevokeResult {
  key::Record record;
  std::vector<key::KeyId> cascaded = {};  // the heirs (A5), revoked with it
  Enforcement enforcement = {};
};
struct ListResult {
  std::vector<key::Record> keys;
  std::optional<std::string> next_cursor = {};
  std::optional<WallTime> usage_complete_through = {};
};

enum class Wait : uint8_t {
  kEnforced,   // answer when every member has obeyed
  kCommitted,  // answer when it is durable (Prefer: respond-async)
};

// The use cases around keys. All validation that is not JSON's happens here; api only translates.
//
// Scopes:  Create, Update, Rotate need keys:write; Get and List keys:read; Revoke keys:write, or the
// key itself. GetSelf none.
// Errors:  kInvalidArgument names the field and the limit; kPermissionDenied with reason
// "insufficient_scope" or "escalation"; kNotFound (A8); kConflict with reason "already_created"
// (`field`: the key id), "idempotency_mismatch" (422), "key_revoked", "key_expired"; kUnauthenticated
// with the decision's name if the caller's key was revoked, disabled, expired … before the commit
// (R2).
// Threads: safe to call concurrently; completions run on the callback's executor.
class Keys {
 public:
  struct Options {
    std::string brand = "p402";
    // Tells ListResult::usage_complete_through; null: it stays empty. Outlives the Keys.
    const UsageWriter* usage = nullptr;
  };
  Keys(Options options, store::Store& store, feed::Feed& feed, index::Index& index,
       const Clock& clock, Random& random, Uuid7Generator& ids, Log& log, Metrics& metrics);

  void Create(const Caller& caller, CreateRequest request, Wait wait,
              Callback<Result<CreatedKey>> done);
  void Get(const Caller& caller, const key::KeyId& id, Callback<Result<key::Record>> done);
  void GetSelf(const Caller& caller, Callback<Result<key::Record>> done);
  void List(const Caller& caller, ListRequest request, Callback<Result<ListResult>> done);
  void Update(const Caller& caller, const key::KeyId& id, UpdateRequest request, Wait wait,
              Callback<Result<KeyResult>> done);
  // Idempotent: a repeated one appends a log entry and waits for its barrier again. A revoked
  // caller may only repeat the revocation of itself.
  void Revoke(const Caller& caller, const key::KeyId& id, RevokeRequest request, Wait wait,
              Callback<Result<RevokeResult>> done);
  // A new key with the same settings; the old one expires after `grace` (0: at once).
  // `record.rotated_from` is the old id.
  void Rotate(const Caller& caller, const key::KeyId& id, Millis grace, Wait wait,
              Callback<Result<CreatedKey>> done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace p402::service
