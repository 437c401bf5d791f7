#include "service/accounts.h"

#include <utility>

#include "key/grant.h"
#include "service/commit.h"
#include "service/fields.h"
#include "service/keys_impl.h"
#include "service/permissions.h"

namespace p402::service {
namespace {

// One account under way, with its first key.
struct Founding {
  store::Account account;
  key::Record record;
  Secret raw_key;
};

std::shared_ptr<Founding> Prepare(std::string name, std::string_view founder,
                                  const RawKeyMint& mint, Uuid7Generator& ids) {
  auto founding = std::make_shared<Founding>();
  founding->account.id = key::AccountId::New(ids);
  founding->account.name = std::move(name);
  key::Record& record = founding->record;
  record.id = key::KeyId::New(ids);
  record.account = founding->account.id;
  record.name = "first key";
  record.mode = key::Mode::kLive;
  // Not the calling key: nothing of one account is visible to another, and a cascade stays in one.
  record.created_by = {.kind = key::ActorKind::kSystem, .id = std::string(founder)};
  founding->raw_key = mint.Mint(record);
  return founding;
}

Result<store::Writes> Found(store::Transaction& transaction, Founding& founding, bool is_first) {
  const std::string every = "*";
  P402_TRY(founding.record.scopes, key::ScopeSet::Parse({&every, 1}));
  founding.account.is_first = is_first;
  founding.account.created_at = transaction.Now();
  founding.record.created_at = transaction.Now();
  store::Writes writes;
  writes.accounts.push_back(founding.account);
  writes.keys.push_back({.record = founding.record, .kind = store::ChangeKind::kPermit});
  return writes;
}

store::AuditRecord AuditOfFounder(const Founding& founding, std::string_view action,
                                  std::string subject, std::string details) {
  return {.account = founding.account.id,
          .actor = founding.record.created_by,
          .action = std::string(action),
          .subject = std::move(subject),
          .details = std::move(details)};
}

Result<store::Writes> PlanFirst(store::Transaction& transaction, Founding& founding) {
  P402_TRY(const int64_t count, transaction.CountAccounts());
  if (count != 0) return Fail(ErrorCode::kConflict, "the store has an account already");
  P402_TRY(auto writes, Found(transaction, founding, /*is_first=*/true));
  writes.audit.push_back(
      AuditOfFounder(founding, "account.create", founding.account.id.ToString(), "{}"));
  writes.audit.push_back(AuditOfFounder(founding, "key.create", founding.record.id.ToString(),
                                        CreationDetails(founding.record)));
  return writes;
}

// The caller's account sees that it made an account; the new one sees where its first key is from.
Result<store::Writes> PlanNext(store::Transaction& transaction, Founding& founding,
                               const Caller& caller) {
  P402_TRY(const auto actor, ReadActor(transaction, caller));
  P402_TRY(const auto account, transaction.GetAccount(actor.account));
  P402_TRY(RequireFirstAccountScope(actor, scopes::kAccountsWrite, account && account->is_first));
  // The first key of an account is everlasting and may be used from anywhere (A2).
  const key::ScopeSet no_scopes;  // its "*" is that of another account
  const key::Grant grant{.mode = founding.record.mode,
                         .scopes = no_scopes,
                         .allowed_cidrs = founding.record.allowed_cidrs,
                         .expires_at = founding.record.expires_at};
  P402_TRY(key::CheckWithin(grant, key::GrantOf(actor)));
  P402_TRY(auto writes, Found(transaction, founding, /*is_first=*/false));
  writes.audit.push_back(AuditOf(caller, "account.create", founding.account.id.ToString(), "{}"));
  writes.audit.push_back(AuditOfFounder(founding, "key.create", founding.record.id.ToString(),
                                        CreationDetails(founding.record)));
  return writes;
}

}  // namespace

struct Accounts::Impl {
  Impl(Keys::Options options, store::Store& a_store, feed::Feed& a_feed, Random& random,
       Uuid7Generator& an_ids)
      : store(a_store),
        feed(a_feed),
        ids(an_ids),
        mint(random, options.brand),
        first_account(a_store) {}

  store::Store& store;
  feed::Feed& feed;
  Uuid7Generator& ids;
  const RawKeyMint mint;
  FirstAccount first_account;
};

Accounts::Accounts(Keys::Options options, store::Store& store, feed::Feed& feed, const Clock&,
                   Random& random, Uuid7Generator& ids)
    : impl_(std::make_shared<Impl>(std::move(options), store, feed, random, ids)) {}

void Accounts::Bootstrap(std::string account_name, Callback<Result<CreatedAccount>> done) {
  if (auto valid = CheckName(account_name, limits::kAccountNameCharacters); !valid) {
    return Refuse(std::move(done), valid.error());
  }
  auto founding = Prepare(std::move(account_name), "init", impl_->mint, impl_->ids);
  Executor& executor = done.executor();
  auto plan = [founding](store::Transaction& transaction) {
    return PlanFirst(transaction, *founding);
  };
  auto answer = [founding, done = std::move(done)](Result<store::Committed> committed) mutable {
    if (!committed) return Refuse(std::move(done), std::move(committed).error());
    founding->record.version = committed->seq;
    std::move(done)(CreatedAccount{.account = std::move(founding->account),
                                   .key = {.record = std::move(founding->record),
                                           .raw_key = std::move(founding->raw_key),
                                           .enforcement = {.seq = committed->seq}}});
  };
  impl_->store.Commit(std::move(plan),
                      Callback<Result<store::Committed>>(executor, std::move(answer)));
}

void Accounts::Create(const Caller& caller, std::string name,
                      Callback<Result<CreatedAccount>> done) {
  if (auto allowed = RequireScope(caller, scopes::kAccountsWrite); !allowed) {
    return Refuse(std::move(done), allowed.error());
  }
  if (auto valid = CheckName(name, limits::kAccountNameCharacters); !valid) {
    return Refuse(std::move(done), valid.error());
  }
  auto founding = Prepare(std::move(name), "accounts", impl_->mint, impl_->ids);
  Executor& executor = done.executor();
  auto plan = [founding, caller](store::Transaction& transaction) {
    return PlanNext(transaction, *founding, caller);
  };
  auto answer = [founding, done = std::move(done)](Result<Enforcement> enforced) mutable {
    if (!enforced) return Refuse(std::move(done), std::move(enforced).error());
    founding->record.version = enforced->seq;
    std::move(done)(CreatedAccount{.account = std::move(founding->account),
                                   .key = {.record = std::move(founding->record),
                                           .raw_key = std::move(founding->raw_key),
                                           .enforcement = *std::move(enforced)}});
  };
  CommitAndEnforce(impl_->store, impl_->feed, std::move(plan), Wait::kEnforced, executor,
                   std::move(answer));
}

void Accounts::List(const Caller& caller, Callback<Result<std::vector<store::Account>>> done) {
  Executor& executor = done.executor();
  auto list = [impl = impl_, done = std::move(done)](Status allowed) mutable {
    if (!allowed) return Refuse(std::move(done), allowed.error());
    impl->store.accounts().List(std::move(done));
  };
  impl_->first_account.Require(caller, scopes::kAccountsWrite,
                               Callback<Status>(executor, std::move(list)));
}

}  // namespace p402::service
