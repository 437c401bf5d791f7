#include <deque>
#include <set>
#include <utility>

#include "key/grant.h"
#include "service/audit_details.h"
#include "service/fields.h"
#include "service/keys_impl.h"
#include "service/permissions.h"

namespace p402::service {
namespace {

// One DELETE under way.
struct Revocation {
  Caller caller;
  key::KeyId id;
  RevokeRequest request;
  key::Record after;
  std::vector<key::KeyId> cascaded;

  bool is_of_itself() const { return caller.record->id == id; }
};

Result<key::Record> ReadAllowedActor(store::Transaction& transaction,
                                     const Revocation& revocation) {
  if (revocation.is_of_itself()) return ReadActorForSelfRevoke(transaction, revocation.caller);
  P402_TRY(auto actor, ReadActor(transaction, revocation.caller));
  P402_TRY(RequireScope(actor, scopes::kKeysWrite));
  return actor;
}

Failure TooMany() {
  return InvalidArgument("cascade", "more than " + std::to_string(limits::kCascadeKeys) +
                                        " keys descend from it: revoke some of them first");
}

// What somebody else rotated the named key to is no heir: it is what its holder works with now, so
// that rotating a key that leaked and then revoking it, with all that it made, stops nobody else.
bool IsReplacement(const key::Record& root, const key::Record& child) {
  return child.rotated_from == root.id && child.created_by.id != root.id.ToString();
}

// What the key created, what these created or were rotated to, by whomever, and so on, through keys
// that are revoked already. Whether the actor could act on a descendant alone does
// not matter: what a key left behind is revoked with it although somebody may have widened it since;
// otherwise an heir could hide there.
Result<std::vector<key::Record>> ReadDescendants(store::Transaction& transaction,
                                                 const key::Record& root) {
  std::vector<key::Record> descendants;
  std::set<key::KeyId> seen{root.id};
  std::deque<key::KeyId> open{root.id};
  while (!open.empty()) {
    const key::KeyId parent = open.front();
    open.pop_front();
    P402_TRY(auto heirs, transaction.HeirsOf(parent, limits::kCascadeKeys + 1));
    if (heirs.size() > limits::kCascadeKeys) return TooMany();  // a full page may hide heirs
    for (auto& child : heirs) {
      if (child.account != root.account) continue;
      // Only here: one that an heir made is found again as what that heir created.
      if (parent == root.id && IsReplacement(root, child)) continue;
      if (!seen.insert(child.id).second) continue;
      if (descendants.size() == limits::kCascadeKeys) return TooMany();
      open.push_back(child.id);
      descendants.push_back(std::move(child));
    }
  }
  return descendants;
}

key::Record Revoked(key::Record record, WallTime now, const std::string& reason) {
  if (record.revoked_at) return record;  // a repetition keeps the first time and reason
  record.revoked_at = now;
  record.revoke_reason = reason;
  return record;
}

void AddDescendant(store::Writes& writes, const Revocation& revocation, const key::Record& child,
                   WallTime now) {
  AuditDetails details;
  details.Text("old_status", key::KeyStatusName(key::StatusAt(child, now)))
      .Text("new_status", "revoked")
      .Text("cascade_of", revocation.id.ToString());
  writes.keys.push_back({.record = Revoked(child, now, revocation.request.reason),
                         .kind = store::ChangeKind::kRevoke});
  writes.audit.push_back(
      AuditOf(revocation.caller, "key.revoke", child.id.ToString(), std::move(details).Build()));
}

// Adds the descendants that are not revoked yet. `cascaded` also names those that were revoked
// together with the key before, so that a repetition gets the same answer.
Status AddCascade(store::Transaction& transaction, store::Writes& writes, Revocation& revocation,
                  const key::Record& before) {
  P402_TRY(auto descendants, ReadDescendants(transaction, before));
  for (const auto& child : descendants) {
    if (!child.revoked_at) {
      // A revoked key may repeat what it did, not begin something new.
      if (before.revoked_at && revocation.is_of_itself()) {
        return Unauthenticated(key::Decision::kRevoked);
      }
      AddDescendant(writes, revocation, child, transaction.Now());
      revocation.cascaded.push_back(child.id);
    } else if (child.revoked_at == before.revoked_at) {
      revocation.cascaded.push_back(child.id);
    }
  }
  return {};
}

std::string Details(const Revocation& revocation, const key::Record& before, WallTime now) {
  AuditDetails details;
  details.Text("old_status", key::KeyStatusName(key::StatusAt(before, now)))
      .Text("new_status", "revoked");
  if (!revocation.request.reason.empty()) details.Text("reason", revocation.request.reason);
  if (before.revoked_at) details.Flag("repeated", true);
  if (revocation.request.cascade) {
    details.Number("cascaded", static_cast<int64_t>(revocation.cascaded.size()));
  }
  return std::move(details).Build();
}

// The named key comes last, so that its log entry is the one the barrier waits for.
Result<store::Writes> Plan(store::Transaction& transaction, Revocation& revocation) {
  revocation.cascaded.clear();
  P402_TRY(const auto actor, ReadAllowedActor(transaction, revocation));
  P402_TRY(const auto before, ReadTarget(transaction, actor, revocation.id));
  const WallTime now = transaction.Now();
  store::Writes writes;
  if (revocation.request.cascade) {
    P402_TRY(AddCascade(transaction, writes, revocation, before));
  }
  revocation.after = Revoked(before, now, revocation.request.reason);
  writes.keys.push_back({.record = revocation.after, .kind = store::ChangeKind::kRevoke});
  writes.audit.push_back(AuditOf(revocation.caller, "key.revoke", revocation.id.ToString(),
                                 Details(revocation, before, now)));
  return writes;
}

}  // namespace

void Keys::Revoke(const Caller& caller, const key::KeyId& id, RevokeRequest request, Wait wait,
                  Callback<Result<RevokeResult>> done) {
  if (caller.record->id != id) {
    if (auto allowed = RequireScope(caller, scopes::kKeysWrite); !allowed) {
      return Refuse(std::move(done), allowed.error());
    }
  }
  if (auto valid = CheckReason(request.reason); !valid) {
    return Refuse(std::move(done), valid.error());
  }
  auto revocation = std::make_shared<Revocation>();
  revocation->caller = caller;
  revocation->id = id;
  revocation->request = std::move(request);
  Executor& executor = done.executor();
  auto plan = [revocation](store::Transaction& transaction) {
    return Plan(transaction, *revocation);
  };
  auto answer = [impl = impl_, revocation,
                 done = std::move(done)](Result<Enforcement> enforced) mutable {
    if (!enforced) return Refuse(std::move(done), std::move(enforced).error());
    revocation->after.version = enforced->seq;
    impl->AddUsage(revocation->after);
    impl->CountAndLog(revocation->caller, "key.revoke", revocation->id);
    std::move(done)(RevokeResult{.record = std::move(revocation->after),
                                 .cascaded = std::move(revocation->cascaded),
                                 .enforcement = *std::move(enforced)});
  };
  CommitAndEnforce(impl_->store, impl_->feed, std::move(plan), wait, executor, std::move(answer));
}

}  // namespace p402::service
