#pragma once

#include <memory>
#include <string_view>

#include "base/executor.h"
#include "base/result.h"
#include "key/decision.h"
#include "key/record.h"
#include "service/caller.h"
#include "store/store.h"

// Who may do what: the rules that several use cases share, each in one place.
namespace p402::service {

namespace scopes {
inline constexpr std::string_view kKeysRead = "keys:read";
inline constexpr std::string_view kKeysWrite = "keys:write";
inline constexpr std::string_view kAuditRead = "audit:read";
inline constexpr std::string_view kAuditPrune = "audit:prune";
inline constexpr std::string_view kAccountsWrite = "accounts:write";
}  // namespace scopes

// Errors: kPermissionDenied, reason "insufficient_scope", `field` the scope.
Status RequireScope(const key::Record& actor, std::string_view scope);

// For what concerns the whole store (accounts, the audit chain as a whole, a backup): the scope,
// and the first account (A12): another account's "*" does not cover it. A test key sees nothing of
// the live keys that all of these touch (A2), so it is refused as well.
// Errors: kPermissionDenied, reason "insufficient_scope", `field` the scope.
Status RequireFirstAccountScope(const key::Record& actor, std::string_view scope,
                                bool is_first_account);

// A12: Ok unless `scopes` names accounts:write outside the first account. To be asked inside every
// plan that gives a key its scopes.
// Errors: kPermissionDenied, reason "escalation", field "scopes".
Status CheckGrantable(store::Transaction& transaction, const key::AccountId& account,
                      const key::ScopeSet& scopes);

// R2: the actor as it is inside the transaction, decided again at the store's time. To be the first
// thing that every plan does.
// Errors: kUnauthenticated with the decision's name as reason.
Result<key::Record> ReadActor(store::Transaction& transaction, const Caller& caller);
// A5: the same, but a revoked actor is let through: only for the revocation of itself. Its address
// is checked all the same; expired or disabled no longer matters once it is revoked.
Result<key::Record> ReadActorForSelfRevoke(store::Transaction& transaction, const Caller& caller);
// The same rule for a record in memory.
Status CheckActorForSelfRevoke(const key::Record& actor, const Caller& caller);

// R2 for what the store does without a plan: asks the store for the actor and decides as ReadActor
// does, with the scope, and writes nothing. What follows is not in the same transaction.
void CheckActorInStore(store::Store& store, const Caller& caller, std::string_view scope,
                       Callback<Status> done);

// kUnauthenticated for a decision other than kValid; a missing key is kNotFound.
Failure Unauthenticated(key::Decision decision);

// Knows which account is the first, from the store; asked once, because it never changes.
// Threads:  safe to call concurrently.
// Lifetime: `store` outlives it and its completions.
class FirstAccount {
 public:
  explicit FirstAccount(store::Store& store);
  // Completes with RequireFirstAccountScope's answer for the caller.
  void Require(const Caller& caller, std::string_view scope, Callback<Status> done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace p402::service
