#include "service/keys.h"

#include <algorithm>

#include "base/check.h"
#include "key/digest.h"
#include "key/grant.h"
#include "key/raw_key.h"
#include "service/audit_details.h"
#include "service/fields.h"
#include "service/keys_impl.h"
#include "service/permissions.h"
#include "service/usage.h"

namespace p402::service {

Keys::Impl::Impl(Options an_options, store::Store& a_store, feed::Feed& a_feed,
                 index::Index& an_index, const Clock& a_clock, Random& a_random,
                 Uuid7Generator& an_ids, Log& a_log, Metrics& a_metrics)
    : options(std::move(an_options)),
      store(a_store),
      feed(a_feed),
      index(an_index),
      clock(a_clock),
      mint(a_random, options.brand),
      ids(an_ids),
      log(a_log),
      metrics(a_metrics),
      authenticator(an_index, a_feed, a_clock) {}

void Keys::Impl::AddUsage(key::Record& record) const {
  auto in_memory = index.LastUsed(record.id);
  if (!in_memory) return;
  const WallTime used = std::min(*in_memory, clock.Now());
  if (!record.last_used_at || *record.last_used_at < used) record.last_used_at = used;
}

void Keys::Impl::CountAndLog(const Caller& caller, std::string_view action,
                             const key::KeyId& id) const {
  metrics
      .counter("p402_changes_total", "Changes that were committed",
               {{"action", std::string(action)}})
      .Add();
  log.Info(action, {{"key_id", id.ToString()},
                    {"actor", caller.record->id.ToString()},
                    {"request_id", caller.request_id}});
}

Error NoSuchKey() {
  return {.code = ErrorCode::kNotFound, .public_message = "no such key"};
}

Error KeyConflict(std::string_view reason, std::string_view message) {
  return {.code = ErrorCode::kConflict, .reason = reason, .public_message = std::string(message)};
}

Failure Escalation(std::string field, std::string message) {
  return Failure(Error{.code = ErrorCode::kPermissionDenied,
                       .reason = "escalation",
                       .public_message = std::move(message),
                       .field = std::move(field)});
}

Result<key::Record> ReadTarget(store::Transaction& transaction, const key::Record& actor,
                               const key::KeyId& id) {
  P402_TRY(auto target, transaction.GetKey(id));
  if (!target || !key::MaySee(actor, *target)) return Failure(NoSuchKey());
  P402_TRY(key::CheckMayActOn(actor, *target));
  return *std::move(target);
}

Secret RawKeyMint::Mint(key::Record& record) const {
  Secret raw_key = key::GenerateRawKey(*random_, brand_, record.mode);
  auto parts = key::ParseRawKey(raw_key.Reveal(), brand_);
  P402_CHECK(parts);
  record.prefix = parts->prefix;
  record.digest = key::DigestOf(raw_key.Reveal());
  return raw_key;
}

std::string CreationDetails(const key::Record& record) {
  AuditDetails details;
  details.Text("status", "active")
      .Text("mode", key::ModeName(record.mode))
      .Texts("scopes", record.scopes.values())
      .Texts("allowed_cidrs", record.allowed_cidrs.ToStrings());
  if (record.expires_at) details.Text("expires_at", FormatRfc3339(*record.expires_at));
  if (record.rotated_from) details.Text("rotated_from", record.rotated_from->ToString());
  return std::move(details).Build();
}

Keys::Keys(Options options, store::Store& store, feed::Feed& feed, index::Index& index,
           const Clock& clock, Random& random, Uuid7Generator& ids, Log& log, Metrics& metrics)
    : impl_(std::make_shared<Impl>(std::move(options), store, feed, index, clock, random, ids, log,
                                   metrics)) {}

namespace {

using Found = Result<std::optional<key::Record>>;

}  // namespace

void Keys::Get(const Caller& caller, const key::KeyId& id, Callback<Result<key::Record>> done) {
  if (auto allowed = RequireScope(caller, scopes::kKeysRead); !allowed) {
    return Refuse(std::move(done), allowed.error());
  }
  Executor& executor = done.executor();
  auto answer = [impl = impl_, caller, done = std::move(done)](Found found) mutable {
    if (!found) return Refuse(std::move(done), found.error());
    if (auto still = impl->Recheck(caller, scopes::kKeysRead); !still) {
      return Refuse(std::move(done), still.error());
    }
    if (!*found || !key::MaySee(*caller.record, **found)) {
      return Refuse(std::move(done), NoSuchKey());
    }
    impl->AddUsage(**found);
    std::move(done)(**std::move(found));
  };
  impl_->store.keys().Get(caller.record->account, id, Callback<Found>(executor, std::move(answer)));
}

void Keys::GetSelf(const Caller& caller, Callback<Result<key::Record>> done) {
  Executor& executor = done.executor();
  auto answer = [impl = impl_, caller, done = std::move(done)](Found found) mutable {
    if (!found) return Refuse(std::move(done), found.error());
    if (auto still = impl->Recheck(caller, {}); !still) {
      return Refuse(std::move(done), still.error());
    }
    if (!*found) return Refuse(std::move(done), NoSuchKey());
    impl->AddUsage(**found);
    std::move(done)(**std::move(found));
  };
  impl_->store.keys().Get(caller.record->account, caller.record->id,
                          Callback<Found>(executor, std::move(answer)));
}

}  // namespace p402::service
