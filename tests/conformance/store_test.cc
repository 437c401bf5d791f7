#include "conformance/store_test.h"

namespace p402::conformance {

StoreTest::StoreTest() : backend_(GetParam().make(clock_, random_)) {}

store::AuditRecord AuditOf(const key::AccountId& account, std::string action, std::string subject) {
  return {.account = account,
          .actor = {.kind = key::ActorKind::kSystem, .id = "test"},
          .action = std::move(action),
          .subject = std::move(subject),
          .details = R"({"from":"a test"})",
          .ip = "203.0.113.9",
          .request_id = "req-1"};
}

store::Writes KeyChange(key::Record record, store::ChangeKind kind) {
  store::Writes writes;
  writes.audit.push_back(AuditOf(record.account, "key.change", record.id.ToString()));
  writes.keys.push_back({.record = std::move(record), .kind = kind});
  return writes;
}

Result<store::Committed> StoreTest::Commit(store::Plan plan) {
  return Await<Result<store::Committed>>(
      executor_, [&](auto done) { store().Commit(std::move(plan), std::move(done)); });
}

Result<store::Committed> StoreTest::Commit(store::Writes writes) {
  return Commit(
      store::Plan([writes](store::Transaction&) -> Result<store::Writes> { return writes; }));
}

store::Committed StoreTest::Write(store::Writes writes) {
  auto committed = Commit(std::move(writes));
  EXPECT_TRUE(committed) << committed.error().detail;
  return committed.value_or(store::Committed{});
}

key::AccountId StoreTest::AddAccount(bool is_first) {
  const auto id = key::AccountId::New(generator_);
  Write({.accounts = {{.id = id, .name = "acme", .is_first = is_first, .created_at = clock_.Now()}},
         .audit = {AuditOf(id, "account.create", id.ToString())}});
  return id;
}

key::Record StoreTest::NewKey(const key::AccountId& account, std::string name) {
  key::Record record{.id = key::KeyId::New(generator_), .account = account};
  record.name = std::move(name);
  random_.Fill(record.digest);
  record.prefix = "p402_live_" + key::ToHex(record.digest).substr(0, 6);
  record.scopes = *key::ScopeSet::ParseText("keys:read keys:write");
  record.allowed_cidrs = *key::CidrSet::Parse(std::vector<std::string>{"10.0.0.0/8"});
  record.owner = "someone";
  record.metadata = R"({"team":"ünïcode"})";
  record.created_at = clock_.Now();
  record.created_by = {.kind = key::ActorKind::kSystem, .id = "test"};
  return record;
}

key::Record StoreTest::AddKey(const key::AccountId& account, std::string name) {
  return AddKey(NewKey(account, std::move(name)));
}

key::Record StoreTest::AddKey(key::Record record) {
  record.version = Write(KeyChange(record, store::ChangeKind::kPermit)).seq;
  return record;
}

key::Record StoreTest::Revoke(key::Record record) {
  record.revoked_at = clock_.Now();
  record.revoke_reason = "lost";
  record.version = Write(KeyChange(record, store::ChangeKind::kRevoke)).seq;
  return record;
}

std::optional<key::Record> StoreTest::Get(const key::Record& record) {
  auto found = Await<Result<std::optional<key::Record>>>(executor_, [&](auto done) {
    store().keys().Get(record.account, record.id, std::move(done));
  });
  EXPECT_TRUE(found);
  return found.value_or(std::nullopt);
}

store::KeyPage StoreTest::List(store::KeyPageRequest request) {
  auto page = Await<Result<store::KeyPage>>(
      executor_, [&](auto done) { store().keys().List(std::move(request), std::move(done)); });
  EXPECT_TRUE(page) << page.error().detail;
  return page.value_or(store::KeyPage{});
}

std::vector<key::Record> StoreTest::Scan(key::KeyId after, size_t limit) {
  auto found = Await<Result<std::vector<key::Record>>>(
      executor_, [&](auto done) { store().keys().Scan(after, limit, std::move(done)); });
  EXPECT_TRUE(found);
  return found.value_or(std::vector<key::Record>{});
}

std::vector<store::Change> StoreTest::ReadLog(int64_t from, size_t limit) {
  auto found = Await<Result<std::vector<store::Change>>>(
      executor_, [&](auto done) { store().log().Read(0, from, limit, std::move(done)); });
  EXPECT_TRUE(found);
  return found.value_or(std::vector<store::Change>{});
}

store::Head StoreTest::ReadHead() {
  auto head = Await<Result<store::Head>>(
      executor_, [&](auto done) { store().log().ReadHead(0, std::move(done)); });
  EXPECT_TRUE(head);
  return head.value_or(store::Head{});
}

void StoreTest::Mark(std::vector<store::UsageMark> marks) {
  auto status = Await<Status>(
      executor_, [&](auto done) { store().usage().Write(std::move(marks), std::move(done)); });
  EXPECT_TRUE(status);
}

std::vector<store::AuditRecord> StoreTest::ReadAudit(store::AuditQuery query) {
  auto found = Await<Result<std::vector<store::AuditRecord>>>(
      executor_, [&](auto done) { store().audit().List(std::move(query), std::move(done)); });
  EXPECT_TRUE(found);
  return found.value_or(std::vector<store::AuditRecord>{});
}

store::AuditHead StoreTest::ReadAuditHead() {
  auto head = Await<Result<store::AuditHead>>(
      executor_, [&](auto done) { store().audit().ReadHead(std::move(done)); });
  EXPECT_TRUE(head);
  return head.value_or(store::AuditHead{});
}

store::AuditVerdict StoreTest::Verify(std::optional<key::Digest> anchor) {
  auto verdict = Await<Result<store::AuditVerdict>>(
      executor_, [&](auto done) { store().audit().Verify(anchor, std::move(done)); });
  EXPECT_TRUE(verdict);
  return verdict.value_or(store::AuditVerdict{});
}

int64_t StoreTest::Prune(WallTime before) {
  store::Writes writes;
  writes.pruning = {.before = before, .by = AuditOf({}, "ignored")};
  return Write(std::move(writes)).pruned;
}

}  // namespace p402::conformance
