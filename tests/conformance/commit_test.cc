#include <gmock/gmock.h>

#include "base/limits.h"
#include "conformance/store_test.h"

namespace p402::conformance {
namespace {

using store::ChangeKind;
using store::Transaction;
using store::Writes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_P(CommitConformance, S1_AStoreHasAnIdOfItsOwnAndKeepsIt) {
  const Uuid id = store().id();
  EXPECT_NE(id, Uuid{});
  EXPECT_NE(id, GetParam().make(clock_, random_)->store().id());
  if (!backend_->Reopen()) return;  // this store forgets
  EXPECT_EQ(store().id(), id);
}

TEST_P(CommitConformance, S1_WritesTheWholeChange) {
  const auto account = AddAccount(/*is_first=*/true);
  const key::Record record = AddKey(account);
  EXPECT_EQ(Get(record), record);
  EXPECT_EQ(ReadLog().size(), 2u);
  EXPECT_EQ(ReadAudit({.account = account}).size(), 2u);
  if (!backend_->Reopen()) return;
  EXPECT_EQ(Get(record), record);
  EXPECT_EQ(ReadLog().size(), 2u);
  EXPECT_EQ(ReadAudit({.account = account}).size(), 2u);
}

TEST_P(CommitConformance, S1_AnErrorOfThePlanWritesNothingAndIsTheAnswer) {
  const auto account = AddAccount();
  const auto head = ReadHead();
  auto refused = Commit(store::Plan([](Transaction&) -> Result<Writes> {
    return Failure(Error{.code = ErrorCode::kUnauthenticated, .reason = "revoked", .field = "x"});
  }));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(refused.error().reason, "revoked");
  EXPECT_EQ(refused.error().field, "x");
  EXPECT_EQ(ReadHead(), head);
  EXPECT_EQ(ReadAudit({.account = account}).size(), 1u);
}

TEST_P(CommitConformance, S1_AChangeWithoutAnAuditRecordIsRefused) {
  const auto account = AddAccount();
  Writes writes = KeyChange(NewKey(account), ChangeKind::kPermit);
  writes.audit.clear();
  EXPECT_FALSE(Commit(writes));
  EXPECT_THAT(Scan(), IsEmpty());
}

TEST_P(CommitConformance, S1_AConflictInTheLastWriteUndoesTheFirst) {
  const auto account = AddAccount();
  const key::Record taken = AddKey(account);
  const auto head = ReadHead();
  const auto audit_head = ReadAuditHead();
  Writes writes = KeyChange(NewKey(account), ChangeKind::kPermit);
  key::Record twin = NewKey(account);
  twin.digest = taken.digest;
  writes.keys.push_back({.record = twin, .kind = ChangeKind::kPermit});
  writes.accounts.push_back({.id = key::AccountId::New(generator_), .name = "b"});
  auto refused = Commit(writes);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_EQ(ReadHead(), head);
  EXPECT_EQ(ReadAuditHead(), audit_head);
  EXPECT_EQ(Scan().size(), 1u);
}

TEST_P(CommitConformance, S1_TwoKeysOfOneChangeCannotShareADigest) {
  const auto account = AddAccount();
  const key::Record one = NewKey(account);
  key::Record other = NewKey(account);
  other.digest = one.digest;
  Writes writes = KeyChange(one, ChangeKind::kPermit);
  writes.keys.push_back({.record = other, .kind = ChangeKind::kPermit});
  EXPECT_FALSE(Commit(writes));
  EXPECT_THAT(Scan(), IsEmpty());
}

TEST_P(CommitConformance, A12_AKeyNeedsItsAccount) {
  auto refused = Commit(KeyChange(NewKey(key::AccountId::New(generator_)), ChangeKind::kPermit));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
}

TEST_P(CommitConformance, A12_AnAccountAndItsKeyInOneChange) {
  const auto account = key::AccountId::New(generator_);
  const key::Record record = NewKey(account);
  Writes writes = KeyChange(record, ChangeKind::kPermit);
  writes.accounts.push_back({.id = account, .name = "acme", .is_first = true});
  const auto committed = Write(writes);
  const auto log = ReadLog();
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[0].kind, ChangeKind::kAccount);
  EXPECT_EQ(log[0].subject, account.ToString());
  EXPECT_EQ(log[0].payload, "");
  EXPECT_EQ(log[1].subject, record.id.ToString());
  EXPECT_EQ(committed.seq, 2);
}

TEST_P(CommitConformance, A12_OnlyOneAccountIsTheFirst) {
  AddAccount(/*is_first=*/true);
  const auto second = key::AccountId::New(generator_);
  Writes writes{.accounts = {{.id = second, .name = "b", .is_first = true}},
                .audit = {AuditOf(second, "account.create")}};
  EXPECT_FALSE(Commit(writes));
  writes.accounts[0].is_first = false;
  EXPECT_TRUE(Commit(writes));
  EXPECT_FALSE(Commit(writes)) << "the id is taken now";
}

TEST_P(CommitConformance, A12_AccountsAreListedFirstOneFirst) {
  const auto first = AddAccount(/*is_first=*/true);
  clock_.Advance(Millis(5));
  const auto second = AddAccount();
  auto accounts = Await<Result<std::vector<store::Account>>>(
      executor_, [&](auto done) { store().accounts().List(std::move(done)); });
  ASSERT_TRUE(accounts);
  ASSERT_EQ(accounts->size(), 2u);
  EXPECT_EQ((*accounts)[0].id, first);
  EXPECT_TRUE((*accounts)[0].is_first);
  EXPECT_EQ((*accounts)[0].name, "acme");
  EXPECT_EQ((*accounts)[1].id, second);
  EXPECT_FALSE((*accounts)[1].is_first);
  EXPECT_EQ((*accounts)[1].created_at, clock_.Now());
}

TEST_P(CommitConformance, R1_RevokedIsFinal) {
  const auto account = AddAccount();
  key::Record record = Revoke(AddKey(account));
  EXPECT_EQ(Get(record), record);
  key::Record revived = record;
  revived.revoked_at.reset();
  auto refused = Commit(KeyChange(revived, ChangeKind::kPermit));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_EQ(Get(record), record);
}

TEST_P(CommitConformance, A5_ARepeatedRevocationMakesANewLogEntry) {
  const auto account = AddAccount();
  const key::Record once = Revoke(AddKey(account));
  const key::Record twice = Revoke(once);
  EXPECT_GT(twice.version, once.version);
  EXPECT_EQ(Get(once), twice);
}

TEST_P(CommitConformance, R1_VersionIsTheSequenceOfTheLastChange) {
  const auto account = AddAccount();
  key::Record record = AddKey(account);
  EXPECT_EQ(record.version, ReadHead().seq);
  AddKey(account);
  record.name = "renamed";
  const auto committed = Write(KeyChange(record, ChangeKind::kUpdate));
  EXPECT_EQ(committed.seq, ReadHead().seq);
  EXPECT_EQ(committed.tag, ReadHead().tag);
  EXPECT_EQ(Get(record)->version, committed.seq);
  EXPECT_EQ(Get(record)->name, "renamed");
}

TEST_P(CommitConformance, S1_EveryFieldComesBack) {
  const auto account = AddAccount();
  key::Record record = NewKey(account, std::string(100, 'n'));
  record.mode = key::Mode::kTest;
  record.scopes = *key::ScopeSet::ParseText("*");
  record.allowed_cidrs =
      *key::CidrSet::Parse(std::vector<std::string>{"10.0.0.0/8", "2001:db8::/32"});
  record.owner = "o'wner; -- \xF0\x9F\x94\x91";
  record.created_by = {.kind = key::ActorKind::kKey, .id = key::KeyId::New(generator_).ToString()};
  record.expires_at = clock_.Now() + Millis(1);
  record.is_disabled = true;
  record.rotated_from = key::KeyId::New(generator_);
  record = AddKey(record);
  EXPECT_EQ(Get(record), record);

  key::Record bare{.id = key::KeyId::New(generator_), .account = account};
  random_.Fill(bare.digest);
  bare.created_by = {.kind = key::ActorKind::kMember, .id = ""};
  bare = AddKey(bare);
  EXPECT_EQ(Get(bare), bare);
}

TEST_P(CommitConformance, R2_ThePlanSeesWhatWasCommittedBefore) {
  const auto account = AddAccount(/*is_first=*/true);
  const key::Record record = Revoke(AddKey(account));
  std::optional<key::Record> seen;
  std::optional<store::Account> seen_account;
  int64_t accounts = 0;
  bool is_same_time = false;
  auto refused = Commit(store::Plan([&](Transaction& transaction) -> Result<Writes> {
    P402_TRY(seen, transaction.GetKey(record.id));
    P402_TRY(seen_account, transaction.GetAccount(account));
    P402_TRY(accounts, transaction.CountAccounts());
    P402_TRY(auto nobody, transaction.GetKey(key::KeyId::New(generator_)));
    P402_TRY(auto nothing, transaction.GetAccount(key::AccountId::New(generator_)));
    EXPECT_FALSE(nobody);
    EXPECT_FALSE(nothing);
    const WallTime now = transaction.Now();
    clock_.Advance(Millis(10));
    is_same_time = transaction.Now() == now;
    return Fail(ErrorCode::kUnauthenticated, "revoked");
  }));
  EXPECT_FALSE(refused);
  EXPECT_EQ(seen, record);
  ASSERT_TRUE(seen_account);
  EXPECT_TRUE(seen_account->is_first);
  EXPECT_EQ(accounts, 1);
  EXPECT_TRUE(is_same_time);
}

TEST_P(CommitConformance, A5_FindsWhatAKeyLeavesBehind) {
  const auto account = AddAccount();
  const key::Record parent = AddKey(account);
  const key::Actor creator{.kind = key::ActorKind::kKey, .id = parent.id.ToString()};
  std::vector<key::KeyId> heirs;
  for (int i = 0; i < 6; ++i) {
    clock_.Advance(Millis(1));
    key::Record heir = NewKey(account);
    if (i % 3 != 1) heir.created_by = creator;
    if (i % 3 != 0) heir.rotated_from = parent.id;  // both are one heir
    heir = AddKey(heir);
    if (i == 2) Revoke(heir);
    heirs.push_back(heir.id);
  }
  key::Record lookalike = NewKey(account);
  lookalike.created_by = {.kind = key::ActorKind::kMember, .id = parent.id.ToString()};
  AddKey(lookalike);
  key::Record other = NewKey(account);
  other.rotated_from = lookalike.id;
  AddKey(other);
  std::vector<key::Record> all;
  std::vector<key::Record> some;
  auto refused = Commit(store::Plan([&](Transaction& transaction) -> Result<Writes> {
    P402_TRY(all, transaction.HeirsOf(parent.id, 100));
    P402_TRY(some, transaction.HeirsOf(parent.id, 2));
    return Fail(ErrorCode::kConflict, "only looking");
  }));
  EXPECT_FALSE(refused);
  std::vector<key::KeyId> found;
  for (auto& record : all) found.push_back(record.id);
  EXPECT_EQ(found, heirs);
  ASSERT_EQ(some.size(), 2u);
  EXPECT_EQ(some[1].id, heirs[1]);
}

store::Writes IdempotentChange(const key::Record& record, key::Digest key_digest) {
  store::Writes writes = KeyChange(record, ChangeKind::kPermit);
  writes.idempotency = store::Idempotency{.account = record.account,
                                          .key_digest = key_digest,
                                          .request_digest = key::DigestOf("request"),
                                          .created = record.id};
  return writes;
}

TEST_P(CommitConformance, A10_AnIdempotencyKeyIsKeptFor24Hours) {
  const auto account = AddAccount();
  const auto stranger = AddAccount();
  const auto digest = key::DigestOf("actor\nkey");
  auto look = [&](const key::AccountId& who) {
    std::optional<store::Idempotency> found;
    auto refused = Commit(store::Plan([&](Transaction& transaction) -> Result<Writes> {
      P402_TRY(found, transaction.GetIdempotency(who, digest));
      return Fail(ErrorCode::kConflict, "only looking");
    }));
    EXPECT_FALSE(refused);
    return found;
  };
  EXPECT_FALSE(look(account));
  const key::Record record = NewKey(account);
  Write(IdempotentChange(record, digest));
  const store::Idempotency expected{.account = account,
                                    .key_digest = digest,
                                    .request_digest = key::DigestOf("request"),
                                    .created = record.id,
                                    .at = clock_.Now()};
  EXPECT_EQ(look(account), expected);
  EXPECT_FALSE(look(stranger));
  auto refused = Commit(IdempotentChange(NewKey(account), digest));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);

  clock_.Advance(limits::kIdempotencyRetention - Millis(1));
  EXPECT_EQ(look(account), expected);
  clock_.Advance(Millis(1));
  EXPECT_FALSE(look(account));
  EXPECT_TRUE(Commit(IdempotentChange(NewKey(account), digest)));
  EXPECT_TRUE(look(account));
}

TEST_P(CommitConformance, S1_AChangeOfNothingButAuditKeepsTheSequence) {
  const auto account = AddAccount();
  const auto head = ReadHead();
  const auto committed = Write({.audit = {AuditOf(account, "audit.anchor")}});
  EXPECT_EQ(committed.seq, head.seq);
  EXPECT_EQ(committed.tag, head.tag);
  EXPECT_EQ(committed.at, clock_.Now());
  EXPECT_EQ(ReadHead(), head);
  EXPECT_EQ(ReadAuditHead().number, 2);
}

}  // namespace
}  // namespace p402::conformance
