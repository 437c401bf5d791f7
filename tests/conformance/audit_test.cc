#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "conformance/store_test.h"

namespace p402::conformance {
namespace {

TEST_P(AuditConformance, S1_AnEmptyChainIsIntact) {
  EXPECT_EQ(ReadAuditHead(), store::AuditHead{});
  const auto verdict = Verify();
  EXPECT_TRUE(verdict.is_intact) << verdict.problem;
  EXPECT_EQ(verdict.checked, 0);
}

TEST_P(AuditConformance, S1_RecordsAreNumberedAndChained) {
  const auto account = AddAccount();
  clock_.Advance(Millis(3));
  const key::Record record = AddKey(account);
  auto records = ReadAudit({.account = account});
  ASSERT_EQ(records.size(), 2u);
  std::ranges::reverse(records);
  EXPECT_EQ(records[0].number, 1);
  EXPECT_EQ(records[0].previous, key::Digest{});
  EXPECT_EQ(records[1].number, 2);
  EXPECT_EQ(records[1].previous, records[0].hash);
  EXPECT_EQ(records[1].hash, store::AuditHash(records[1]));
  EXPECT_EQ(records[1].at, clock_.Now());
  EXPECT_EQ(records[1].actor, (key::Actor{.kind = key::ActorKind::kSystem, .id = "test"}));
  EXPECT_EQ(records[1].action, "key.change");
  EXPECT_EQ(records[1].subject, record.id.ToString());
  EXPECT_EQ(records[1].details, R"({"from":"a test"})");
  EXPECT_EQ(records[1].ip, "203.0.113.9");
  EXPECT_EQ(records[1].request_id, "req-1");
  EXPECT_EQ(ReadAuditHead(), (store::AuditHead{.number = 2, .hash = records[1].hash}));
}

TEST_P(AuditConformance, S1_TheStoreFillsWhatACallerCannotForge) {
  const auto account = AddAccount();
  store::AuditRecord forged = AuditOf(account, "key.create");
  forged.number = 77;
  forged.at = clock_.Now() - Millis(1000);
  forged.previous = key::DigestOf("x");
  forged.hash = key::DigestOf("y");
  Write({.audit = {forged, forged}});
  const auto records = ReadAudit({.account = account});
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].number, 3);
  EXPECT_EQ(records[1].number, 2);
  EXPECT_EQ(records[0].at, clock_.Now());
  EXPECT_TRUE(Verify().is_intact);
}

TEST_P(AuditConformance, S1_ListsByAccountSubjectAndAction) {
  const auto account = AddAccount();
  const auto stranger = AddAccount();
  Write({.audit = {AuditOf(account, "key.create", "a"), AuditOf(account, "key.revoke", "a"),
                   AuditOf(stranger, "key.create", "a"), AuditOf(account, "key.create", "b")}});
  auto numbers = [&](store::AuditQuery query) {
    std::vector<int64_t> found;
    for (auto& record : ReadAudit(std::move(query))) found.push_back(record.number);
    return found;
  };
  using Numbers = std::vector<int64_t>;
  EXPECT_EQ(numbers({.account = account}), (Numbers{6, 4, 3, 1}));
  EXPECT_EQ(numbers({.account = stranger}), (Numbers{5, 2}));
  EXPECT_EQ(numbers({.account = account, .subject = "a"}), (Numbers{4, 3}));
  EXPECT_EQ(numbers({.account = account, .action = "key.create"}), (Numbers{6, 3}));
  EXPECT_EQ(numbers({.account = account, .subject = "a", .action = "key.create"}), (Numbers{3}));
  EXPECT_EQ(numbers({.account = account, .before = 4}), (Numbers{3, 1}));
  EXPECT_EQ(numbers({.account = account, .limit = 2}), (Numbers{6, 4}));
}

TEST_P(AuditConformance, S1_AnAnchorIsFoundInTheChain) {
  const auto account = AddAccount();
  const auto anchor = ReadAuditHead();
  AddKey(account);
  const auto verdict = Verify(anchor.hash);
  EXPECT_TRUE(verdict.is_intact) << verdict.problem;
  EXPECT_TRUE(verdict.anchor_found);
  EXPECT_EQ(verdict.checked, 2);
  EXPECT_EQ(verdict.first_number, 1);
  EXPECT_EQ(verdict.head, ReadAuditHead());
  EXPECT_FALSE(Verify().anchor_found);
  const auto rewritten = Verify(key::DigestOf("a head of another history"));
  EXPECT_FALSE(rewritten.is_intact);
  EXPECT_FALSE(rewritten.anchor_found);
  EXPECT_NE(rewritten.problem, "");
}

TEST_P(AuditConformance, S1_PruningLeavesACheckpoint) {
  const auto account = AddAccount();
  AddKey(account);
  const auto pruned = ReadAuditHead();
  clock_.Advance(Millis(1000));
  AddKey(account);
  const auto kept = ReadAuditHead();
  EXPECT_EQ(Prune(clock_.Now()), 2);

  const auto verdict = Verify(kept.hash);
  EXPECT_TRUE(verdict.is_intact) << verdict.problem;
  EXPECT_TRUE(verdict.anchor_found);
  EXPECT_EQ(verdict.first_number, 2) << "the checkpoint's";
  EXPECT_EQ(verdict.checked, 2);
  EXPECT_EQ(verdict.head.number, 4);
  EXPECT_TRUE(Verify(pruned.hash).is_intact) << "the checkpoint's hash is still known";
  EXPECT_EQ(ReadAudit({.account = account}).size(), 1u);
  const auto told = ReadAudit({.account = {}});
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].action, "audit.prune");
  EXPECT_EQ(told[0].actor.id, "test");
  EXPECT_EQ(told[0].number, 4);
  AddKey(account);
  EXPECT_TRUE(Verify().is_intact);
  if (backend_->Reopen()) {
    EXPECT_TRUE(Verify().is_intact);
  }
}

TEST_P(AuditConformance, S1_PruningEverythingAndNothing) {
  const auto account = AddAccount();
  EXPECT_EQ(Prune(clock_.Now()), 0) << "only what is older";
  EXPECT_EQ(ReadAuditHead().number, 2);
  clock_.Advance(Millis(1));
  EXPECT_EQ(Prune(clock_.Now()), 2);
  EXPECT_EQ(ReadAuditHead().number, 3);
  clock_.Advance(Millis(1));
  EXPECT_EQ(Prune(clock_.Now() + Millis(1)), 1) << "but never the record that tells of it";
  EXPECT_EQ(ReadAuditHead().number, 4);
  const auto verdict = Verify();
  EXPECT_TRUE(verdict.is_intact) << verdict.problem;
  EXPECT_EQ(verdict.checked, 1);
  AddKey(account);
  EXPECT_TRUE(Verify().is_intact);
}

TEST_P(AuditConformance, R2_APruningIsPartOfItsChange) {
  const auto account = AddAccount();
  key::Record record = AddKey(account);
  record.revoked_at = clock_.Now();
  const key::Record revoked = AddKey(record);
  clock_.Advance(Millis(1000));
  const auto head = ReadAuditHead();
  // Revoked is final, so this change fails as a whole.
  record.revoked_at.reset();
  store::Writes writes = KeyChange(record, store::ChangeKind::kUpdate);
  writes.pruning = {.before = clock_.Now(), .by = AuditOf(account, "audit.prune")};
  EXPECT_FALSE(Commit(writes));
  EXPECT_EQ(ReadAuditHead(), head);
  EXPECT_EQ(Verify().checked, head.number);

  writes = KeyChange(revoked, store::ChangeKind::kUpdate);
  writes.pruning = {.before = clock_.Now(), .by = AuditOf(account, "audit.prune")};
  EXPECT_EQ(Write(writes).pruned, head.number) << "but not the records of the change itself";
  const auto records = ReadAudit({.account = account});
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].action, "audit.prune");
  EXPECT_EQ(records[1].action, "key.change");
  EXPECT_TRUE(Verify().is_intact);
}

TEST_P(AuditConformance, S1_PruningCutsOnlyTheFrontWhenTheClockStepsBack) {
  const auto account = AddAccount();
  clock_.StepWall(Millis(5000));
  AddKey(account);
  clock_.StepWall(Millis(-4000));
  AddKey(account);
  EXPECT_EQ(Prune(clock_.Now() + Millis(1)), 1) << "the third is older, but stands behind";
  EXPECT_TRUE(Verify().is_intact);
}

TEST_P(AuditConformance, C5_ABackupIsAWholeCopyOrRefused) {
  AddKey(AddAccount());
  const auto folder = std::filesystem::temp_directory_path();
  const auto target = folder / ("p402-backup-" + key::KeyId::New(generator_).ToString() + "-" +
                                std::to_string(getpid()));
  auto backup = [&] {
    return Await<Status>(executor_, [&](auto done) { store().Backup(target, std::move(done)); });
  };
  auto first = backup();
  if (!backend_->has_backup()) {
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().code, ErrorCode::kInvalidArgument);
    return;
  }
  ASSERT_TRUE(first) << first.error().detail;
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(target).permissions(), perms::owner_read | perms::owner_write);
  auto second = backup();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(std::filesystem::exists(target)) << "what was there stays";
  std::filesystem::remove(target);
}

}  // namespace
}  // namespace p402::conformance
