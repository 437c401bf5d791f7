#include "service/permissions.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace p402::service {
namespace {

Failure InsufficientScope(std::string_view scope) {
  return Failure(Error{.code = ErrorCode::kPermissionDenied,
                       .reason = "insufficient_scope",
                       .public_message = "the key lacks the scope " + std::string(scope),
                       .field = std::string(scope)});
}

Result<key::Record> ReadActorRecord(store::Transaction& transaction, const Caller& caller) {
  P402_TRY(auto actor, transaction.GetKey(caller.record->id));
  if (!actor) return Unauthenticated(key::Decision::kNotFound);
  return *std::move(actor);
}

Status DecideActor(const key::Record& actor, const Caller& caller, WallTime now) {
  const key::Decision decision = key::Decide(actor, {.ip = caller.ip}, now);
  if (decision != key::Decision::kValid) return Unauthenticated(decision);
  return {};
}

}  // namespace

Status RequireScope(const key::Record& actor, std::string_view scope) {
  if (!actor.scopes.Covers(scope)) return InsufficientScope(scope);
  return {};
}

Status RequireFirstAccountScope(const key::Record& actor, std::string_view scope,
                                bool is_first_account) {
  if (!is_first_account || actor.mode != key::Mode::kLive) return InsufficientScope(scope);
  return RequireScope(actor, scope);
}

Status CheckGrantable(store::Transaction& transaction, const key::AccountId& account,
                      const key::ScopeSet& scopes) {
  if (std::ranges::find(scopes.values(), scopes::kAccountsWrite) == scopes.values().end()) {
    return {};
  }
  P402_TRY(auto found, transaction.GetAccount(account));
  if (found && found->is_first) return {};
  return Failure(Error{.code = ErrorCode::kPermissionDenied,
                       .reason = "escalation",
                       .public_message = "only keys of the first account can hold accounts:write",
                       .field = "scopes"});
}

Result<key::Record> ReadActor(store::Transaction& transaction, const Caller& caller) {
  P402_TRY(auto actor, ReadActorRecord(transaction, caller));
  P402_TRY(DecideActor(actor, caller, transaction.Now()));
  return actor;
}

Result<key::Record> ReadActorForSelfRevoke(store::Transaction& transaction, const Caller& caller) {
  P402_TRY(auto actor, ReadActorRecord(transaction, caller));
  if (actor.revoked_at) {
    P402_TRY(CheckActorForSelfRevoke(actor, caller));
  } else {
    P402_TRY(DecideActor(actor, caller, transaction.Now()));
  }
  return actor;
}

Status CheckActorForSelfRevoke(const key::Record& actor, const Caller& caller) {
  if (actor.allowed_cidrs.Allows(caller.ip)) return {};
  return Unauthenticated(key::Decision::kIpNotAllowed);
}

Failure Unauthenticated(key::Decision decision) {
  const std::string_view name = key::DecisionName(decision);
  return Failure(Error{.code = ErrorCode::kUnauthenticated,
                       .reason = name,
                       .detail = "the caller's key: " + std::string(name),
                       .public_message = "the presented key is not accepted"});
}

struct FirstAccount::Impl {
  explicit Impl(store::Store& a_store) : store(a_store) {}

  std::optional<key::AccountId> known() {
    std::lock_guard lock(mutex);
    return first;
  }
  void Learn(const std::vector<store::Account>& accounts) {
    auto it = std::ranges::find_if(accounts, &store::Account::is_first);
    std::lock_guard lock(mutex);
    if (it != accounts.end()) first = it->id;
  }

  store::Store& store;
  std::mutex mutex;
  std::optional<key::AccountId> first;
};

FirstAccount::FirstAccount(store::Store& store) : impl_(std::make_shared<Impl>(store)) {}

void FirstAccount::Is(const key::AccountId& account, Callback<Result<bool>> done) {
  if (const auto known = impl_->known()) return std::move(done)(account == *known);
  Executor& executor = done.executor();
  impl_->store.accounts().List(Callback<Result<std::vector<store::Account>>>(
      executor, [impl = impl_, account, done = std::move(done)](auto accounts) mutable {
        if (!accounts) return std::move(done)(Failure(std::move(accounts).error()));
        impl->Learn(*accounts);
        std::move(done)(account == impl->known());
      }));
}

void FirstAccount::Require(const Caller& caller, std::string_view scope, Callback<Status> done) {
  Executor& executor = done.executor();
  auto decide = [record = caller.record, scope = std::string(scope),
                 done = std::move(done)](Result<bool> is_first) mutable {
    if (!is_first) return std::move(done)(Failure(std::move(is_first).error()));
    std::move(done)(RequireFirstAccountScope(*record, scope, *is_first));
  };
  Is(caller.record->account, Callback<Result<bool>>(executor, std::move(decide)));
}

}  // namespace p402::service
