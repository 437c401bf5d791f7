#include <utility>

#include "key/grant.h"
#include "service/audit_details.h"
#include "service/fields.h"
#include "service/keys_impl.h"
#include "service/permissions.h"

namespace p402::service {
namespace {

// One PATCH under way.
struct Change {
  Caller caller;
  key::KeyId id;
  UpdateRequest request;
  std::optional<key::ScopeSet> scopes;
  std::optional<key::CidrSet> allowed_cidrs;
  key::Record after;
};

Result<std::shared_ptr<Change>> Prepare(const Caller& caller, const key::KeyId& id,
                                        UpdateRequest request) {
  if (request.name) P402_TRY(CheckName(*request.name, limits::kNameCharacters));
  if (request.owner) P402_TRY(CheckOwner(*request.owner));
  if (request.metadata) P402_TRY(CheckMetadata(*request.metadata));
  auto change = std::make_shared<Change>();
  if (request.scopes) {
    P402_TRY(change->scopes, key::ScopeSet::Parse(*request.scopes));
  }
  if (request.allowed_cidrs) {
    P402_TRY(change->allowed_cidrs, key::CidrSet::Parse(*request.allowed_cidrs));
  }
  change->caller = caller;
  change->id = id;
  change->request = std::move(request);
  return change;
}

key::Record Changed(key::Record record, const Change& change) {
  const UpdateRequest& request = change.request;
  if (request.name) record.name = *request.name;
  if (request.metadata) record.metadata = *request.metadata;
  if (request.owner) record.owner = *request.owner;
  if (change.scopes) record.scopes = *change.scopes;
  if (request.disabled) record.is_disabled = *request.disabled;
  if (request.expires_at) record.expires_at = *request.expires_at;
  if (change.allowed_cidrs) record.allowed_cidrs = *change.allowed_cidrs;
  return record;
}

// A change that both narrows and widens is restrictive: it is the one that must not be late.
store::ChangeKind KindOf(const key::Record& before, const key::Record& after) {
  if (key::IsRestrictive(before, after)) return store::ChangeKind::kRestrict;
  if (key::IsPermissive(before, after)) return store::ChangeKind::kPermit;
  return store::ChangeKind::kUpdate;
}

std::vector<std::string> ChangedFields(const key::Record& before, const key::Record& after) {
  std::vector<std::string> fields;
  if (before.name != after.name) fields.emplace_back("name");
  if (before.metadata != after.metadata) fields.emplace_back("metadata");
  if (before.owner != after.owner) fields.emplace_back("owner");
  if (before.scopes != after.scopes) fields.emplace_back("scopes");
  if (before.is_disabled != after.is_disabled) fields.emplace_back("disabled");
  if (before.expires_at != after.expires_at) fields.emplace_back("expires_at");
  if (before.allowed_cidrs != after.allowed_cidrs) fields.emplace_back("allowed_cidrs");
  return fields;
}

std::string Details(const key::Record& before, const key::Record& after, WallTime now) {
  AuditDetails details;
  details.Texts("fields", ChangedFields(before, after))
      .Text("old_status", key::KeyStatusName(key::StatusAt(before, now)))
      .Text("new_status", key::KeyStatusName(key::StatusAt(after, now)));
  if (before.scopes != after.scopes) {
    details.Texts("old_scopes", before.scopes.values()).Texts("new_scopes", after.scopes.values());
  }
  return std::move(details).Build();
}

Result<store::Writes> Plan(store::Transaction& transaction, Change& change) {
  P402_TRY(const auto actor, ReadActor(transaction, change.caller));
  P402_TRY(RequireScope(actor, scopes::kKeysWrite));
  P402_TRY(const auto before, ReadTarget(transaction, actor, change.id));
  if (before.revoked_at) {
    return Failure(KeyConflict("key_revoked", "the key is revoked, and that is final"));
  }
  key::Record after = Changed(before, change);
  P402_TRY(key::CheckWithin(key::GrantOf(after), key::GrantOf(actor)));
  if (actor.id == before.id && key::IsPermissive(before, after)) {
    return Escalation({}, "a key cannot widen or re-enable itself");
  }
  if (change.scopes) P402_TRY(CheckGrantable(transaction, after.account, after.scopes));
  store::Writes writes;
  writes.keys.push_back({.record = after, .kind = KindOf(before, after)});
  writes.audit.push_back(AuditOf(change.caller, "key.update", change.id.ToString(),
                                 Details(before, after, transaction.Now())));
  change.after = std::move(after);
  return writes;
}

}  // namespace

void Keys::Update(const Caller& caller, const key::KeyId& id, UpdateRequest request, Wait wait,
                  Callback<Result<KeyResult>> done) {
  if (auto allowed = RequireScope(caller, scopes::kKeysWrite); !allowed) {
    return Refuse(std::move(done), allowed.error());
  }
  auto prepared = Prepare(caller, id, std::move(request));
  if (!prepared) return Refuse(std::move(done), prepared.error());
  auto change = *std::move(prepared);
  Executor& executor = done.executor();
  auto plan = [change](store::Transaction& transaction) { return Plan(transaction, *change); };
  auto answer = [impl = impl_, change,
                 done = std::move(done)](Result<Enforcement> enforced) mutable {
    if (!enforced) return Refuse(std::move(done), std::move(enforced).error());
    change->after.version = enforced->seq;
    impl->AddUsage(change->after);
    impl->CountAndLog(change->caller, "key.update", change->id);
    std::move(done)(
        KeyResult{.record = std::move(change->after), .enforcement = *std::move(enforced)});
  };
  CommitAndEnforce(impl_->store, impl_->feed, std::move(plan), wait, executor, std::move(answer));
}

}  // namespace p402::service
