#include "store/testing/driver.h"

namespace p402::store::testing {
namespace {

AuditRecord AuditOf(const key::AccountId& account, std::string action, std::string subject) {
  return {.account = account,
          .actor = {.kind = key::ActorKind::kSystem, .id = "test"},
          .action = std::move(action),
          .subject = std::move(subject),
          .details = "{}"};
}

}  // namespace

key::Record Driver::NewKey(const key::AccountId& account) {
  key::Record record{.id = key::KeyId::New(generator_), .account = account};
  random_.Fill(record.digest);
  record.name = "a key";
  record.prefix = "p402_live_abcdef";
  record.created_at = clock_.Now();
  record.created_by = {.kind = key::ActorKind::kSystem, .id = "test"};
  return record;
}

Writes Driver::ChangeOf(key::Record record, ChangeKind kind) {
  Writes writes;
  writes.audit.push_back(AuditOf(record.account, "key.change", record.id.ToString()));
  writes.keys.push_back({.record = std::move(record), .kind = kind});
  return writes;
}

Plan Driver::PlanOf(Writes writes) {
  return [writes = std::move(writes)](Transaction&) -> Result<Writes> { return writes; };
}

Result<Committed> Driver::Commit(Store& store, Writes writes) {
  return Await<Result<Committed>>(
      executor_, [&](auto done) { store.Commit(PlanOf(std::move(writes)), std::move(done)); });
}

Result<key::AccountId> Driver::AddAccount(Store& store, bool is_first) {
  const auto id = key::AccountId::New(generator_);
  Writes writes;
  writes.accounts.push_back(
      {.id = id, .name = "acme", .is_first = is_first, .created_at = clock_.Now()});
  writes.audit.push_back(AuditOf(id, "account.create", id.ToString()));
  P402_TRY(Commit(store, std::move(writes)));
  return id;
}

Result<key::Record> Driver::AddKey(Store& store, const key::AccountId& account) {
  key::Record record = NewKey(account);
  P402_TRY(const Committed committed, Commit(store, ChangeOf(record, ChangeKind::kPermit)));
  record.version = committed.seq;
  return record;
}

Result<key::Record> Driver::Revoke(Store& store, key::Record record) {
  record.revoked_at = clock_.Now();
  P402_TRY(const Committed committed, Commit(store, ChangeOf(record, ChangeKind::kRevoke)));
  record.version = committed.seq;
  return record;
}

Status Driver::Mark(Store& store, const key::KeyId& key) {
  return Await<Status>(executor_, [&](auto done) {
    store.usage().Write({{.key = key, .at = clock_.Now()}}, std::move(done));
  });
}

Result<std::optional<key::Record>> Driver::Get(Store& store, const key::Record& record) {
  return Await<Result<std::optional<key::Record>>>(
      executor_, [&](auto done) { store.keys().Get(record.account, record.id, std::move(done)); });
}

Result<std::vector<Change>> Driver::ReadLog(Store& store) {
  return Await<Result<std::vector<Change>>>(
      executor_, [&](auto done) { store.log().Read(0, 1, 1'000'000, std::move(done)); });
}

Result<AuditVerdict> Driver::Verify(Store& store, std::optional<key::Digest> anchor) {
  return Await<Result<AuditVerdict>>(
      executor_, [&](auto done) { store.audit().Verify(anchor, std::move(done)); });
}

Result<AuditHead> Driver::AuditHeadOf(Store& store) {
  return Await<Result<AuditHead>>(executor_,
                                  [&](auto done) { store.audit().ReadHead(std::move(done)); });
}

Status Driver::Backup(Store& store, const std::filesystem::path& target) {
  return Await<Status>(executor_, [&](auto done) { store.Backup(target, std::move(done)); });
}

}  // namespace p402::store::testing
