#include <algorithm>
#include <utility>

#include "key/grant.h"
#include "service/audit_details.h"
#include "service/fields.h"
#include "service/keys_impl.h"
#include "service/permissions.h"

namespace p402::service {
namespace {

// One rotation under way.
struct Rotation {
  Caller caller;
  key::KeyId old_id;
  key::KeyId new_id;
  Millis grace{};
  key::Record fresh;
  Secret raw_key;
};

// The same settings, so a disabled key stays disabled. Digest and prefix are still the old one's.
key::Record Successor(const key::Record& old, const Rotation& rotation, WallTime now) {
  key::Record fresh = old;
  fresh.id = rotation.new_id;
  fresh.created_at = now;
  fresh.created_by = rotation.caller.actor();
  fresh.rotated_from = old.id;
  fresh.version = 0;
  fresh.last_used_at.reset();
  return fresh;
}

std::string Details(const Rotation& rotation, const key::Record& old_after) {
  AuditDetails details;
  details.Text("rotated_to", rotation.new_id.ToString())
      .Number("grace_ms", rotation.grace.count())
      .Text("expires_at", FormatRfc3339(*old_after.expires_at));
  return std::move(details).Build();
}

// The raw key is made in here, where the old key's mode is known; a repeated plan makes another.
Result<store::Writes> Plan(store::Transaction& transaction, Rotation& rotation,
                           const RawKeyMint& mint) {
  P402_TRY(const auto actor, ReadActor(transaction, rotation.caller));
  P402_TRY(RequireScope(actor, scopes::kKeysWrite));
  P402_TRY(auto old, ReadTarget(transaction, actor, rotation.old_id));
  const WallTime now = transaction.Now();
  const key::KeyStatus status = key::StatusAt(old, now);
  if (status == key::KeyStatus::kRevoked) {
    return Failure(KeyConflict("key_revoked", "the key is revoked, and that is final"));
  }
  if (status == key::KeyStatus::kExpired) {
    return Failure(KeyConflict("key_expired", "the key has expired: extend it first"));
  }
  rotation.fresh = Successor(old, rotation, now);
  P402_TRY(key::CheckWithin(key::GrantOf(rotation.fresh), key::GrantOf(actor)));
  P402_TRY(CheckGrantable(transaction, old.account, old.scopes));
  rotation.raw_key = mint.Mint(rotation.fresh);
  const WallTime end = now + rotation.grace;
  old.expires_at = old.expires_at ? std::min(*old.expires_at, end) : end;
  store::Writes writes;
  writes.audit.push_back(AuditOf(rotation.caller, "key.create", rotation.fresh.id.ToString(),
                                 CreationDetails(rotation.fresh)));
  writes.audit.push_back(
      AuditOf(rotation.caller, "key.rotate", rotation.old_id.ToString(), Details(rotation, old)));
  writes.keys.push_back({.record = std::move(old), .kind = store::ChangeKind::kRestrict});
  writes.keys.push_back({.record = rotation.fresh, .kind = store::ChangeKind::kPermit});
  return writes;
}

}  // namespace

void Keys::Rotate(const Caller& caller, const key::KeyId& id, Millis grace, Wait wait,
                  Callback<Result<CreatedKey>> done) {
  if (auto allowed = RequireScope(caller, scopes::kKeysWrite); !allowed) {
    return Refuse(std::move(done), allowed.error());
  }
  if (auto valid = CheckGrace(grace); !valid) return Refuse(std::move(done), valid.error());
  auto rotation = std::make_shared<Rotation>();
  rotation->caller = caller;
  rotation->old_id = id;
  rotation->grace = grace;
  rotation->new_id = key::KeyId::New(impl_->ids);
  Executor& executor = done.executor();
  auto plan = [rotation, mint = impl_->mint](store::Transaction& transaction) {
    return Plan(transaction, *rotation, mint);
  };
  auto answer = [impl = impl_, rotation,
                 done = std::move(done)](Result<Enforcement> enforced) mutable {
    if (!enforced) return Refuse(std::move(done), std::move(enforced).error());
    rotation->fresh.version = enforced->seq;
    impl->CountAndLog(rotation->caller, "key.rotate", rotation->old_id);
    std::move(done)(CreatedKey{.record = std::move(rotation->fresh),
                               .raw_key = std::move(rotation->raw_key),
                               .enforcement = *std::move(enforced)});
  };
  CommitAndEnforce(impl_->store, impl_->feed, std::move(plan), wait, executor, std::move(answer));
}

}  // namespace p402::service
