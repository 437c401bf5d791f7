#include <utility>

#include "key/digest.h"
#include "key/grant.h"
#include "service/fields.h"
#include "service/keys_impl.h"
#include "service/permissions.h"

namespace p402::service {
namespace {

// One POST /keys under way: what is known before the transaction, and what it decided.
struct Creation {
  Caller caller;
  CreateRequest request;
  std::optional<key::ScopeSet> scopes;
  key::Record record;
  Secret raw_key;
};

Status CheckFields(const CreateRequest& request) {
  P402_TRY(CheckName(request.name, limits::kNameCharacters));
  P402_TRY(CheckOwner(request.owner));
  P402_TRY(CheckMetadata(request.metadata));
  if (request.idempotency_key) P402_TRY(CheckIdempotencyKey(*request.idempotency_key));
  return {};
}

// The scopes are filled inside the transaction, where the caller's are known for certain.
Result<std::shared_ptr<Creation>> Prepare(const Caller& caller, CreateRequest request) {
  P402_TRY(CheckFields(request));
  auto creation = std::make_shared<Creation>();
  if (request.scopes) {
    P402_TRY(creation->scopes, key::ScopeSet::Parse(*request.scopes));
  }
  key::Record& record = creation->record;
  P402_TRY(record.allowed_cidrs, key::CidrSet::Parse(request.allowed_cidrs));
  record.account = caller.record->account;
  record.name = request.name;
  record.mode = request.mode.value_or(caller.record->mode);
  record.owner = request.owner;
  record.metadata = request.metadata;
  record.created_by = caller.actor();
  record.expires_at = request.expires_at;
  creation->caller = caller;
  creation->request = std::move(request);
  return creation;
}

// Another caller's Idempotency-Key is another one.
key::Digest IdempotencyDigest(const key::Record& actor, std::string_view idempotency_key) {
  return key::DigestOf(actor.id.ToString() + "\n" + std::string(idempotency_key));
}

// A10. Looked at before anything that time changes, such as an expiry that has passed since.
Result<std::optional<store::Idempotency>> PlanIdempotency(store::Transaction& transaction,
                                                          const key::Record& actor,
                                                          const Creation& creation) {
  const CreateRequest& request = creation.request;
  if (!request.idempotency_key) return std::nullopt;
  store::Idempotency entry{.account = actor.account,
                           .key_digest = IdempotencyDigest(actor, *request.idempotency_key),
                           .request_digest = request.request_digest,
                           .created = creation.record.id,
                           .at = transaction.Now()};
  P402_TRY(auto before, transaction.GetIdempotency(entry.account, entry.key_digest));
  if (!before || before->at + limits::kIdempotencyRetention <= transaction.Now()) return entry;
  if (before->request_digest != entry.request_digest) {
    return Failure(KeyConflict("idempotency_mismatch",
                               "this Idempotency-Key was used with another request body"));
  }
  Error error = KeyConflict("already_created", "this request has created a key before");
  error.field = before->created.ToString();
  return Failure(std::move(error));
}

Result<store::Writes> Plan(store::Transaction& transaction, Creation& creation) {
  P402_TRY(const auto actor, ReadActor(transaction, creation.caller));
  P402_TRY(RequireScope(actor, scopes::kKeysWrite));
  P402_TRY(auto idempotency, PlanIdempotency(transaction, actor, creation));
  key::Record& record = creation.record;
  record.created_at = transaction.Now();
  if (record.expires_at && *record.expires_at <= record.created_at) {
    return InvalidArgument("expires_at", "expires_at must be in the future");
  }
  if (creation.scopes) {
    record.scopes = *creation.scopes;
  } else {
    record.scopes = record.owner.empty() ? actor.scopes : key::ScopeSet();
  }
  P402_TRY(key::CheckWithin(key::GrantOf(record), key::GrantOf(actor)));
  P402_TRY(CheckGrantable(transaction, record.account, record.scopes));
  store::Writes writes;
  writes.keys.push_back({.record = record, .kind = store::ChangeKind::kPermit});
  writes.idempotency = std::move(idempotency);
  writes.audit.push_back(
      AuditOf(creation.caller, "key.create", record.id.ToString(), CreationDetails(record)));
  return writes;
}

}  // namespace

void Keys::Create(const Caller& caller, CreateRequest request, Wait wait,
                  Callback<Result<CreatedKey>> done) {
  if (auto allowed = RequireScope(caller, scopes::kKeysWrite); !allowed) {
    return Refuse(std::move(done), allowed.error());
  }
  auto prepared = Prepare(caller, std::move(request));
  if (!prepared) return Refuse(std::move(done), prepared.error());
  auto creation = *std::move(prepared);
  creation->record.id = key::KeyId::New(impl_->ids);
  creation->raw_key = impl_->mint.Mint(creation->record);
  Executor& executor = done.executor();
  auto plan = [creation](store::Transaction& transaction) { return Plan(transaction, *creation); };
  auto answer = [impl = impl_, creation,
                 done = std::move(done)](Result<Enforcement> enforced) mutable {
    if (!enforced) return Refuse(std::move(done), std::move(enforced).error());
    creation->record.version = enforced->seq;
    impl->CountAndLog(creation->caller, "key.create", creation->record.id);
    std::move(done)(CreatedKey{.record = std::move(creation->record),
                               .raw_key = std::move(creation->raw_key),
                               .enforcement = *std::move(enforced)});
  };
  CommitAndEnforce(impl_->store, impl_->feed, std::move(plan), wait, executor, std::move(answer));
}

}  // namespace p402::service
