#include <fstream>

#include "base/file.h"
#include "store/sqlite/store_test.h"

namespace p402::store::sqlite {
namespace {

// What somebody with a database tool could do to the audit trail of a stopped server.
class TamperTest : public SqliteTest {
 protected:
  void SetUp() override {
    auto store = OpenStore();
    auto account = driver_.AddAccount(*store);
    ASSERT_TRUE(account);
    for (int i = 0; i < 8; ++i) ASSERT_TRUE(driver_.AddKey(*store, *account));
    auto head = driver_.AuditHeadOf(*store);
    ASSERT_TRUE(head);
    anchor_ = head->hash;
  }
  // The same verdict from the command line's way and from a running server.
  AuditVerdict Verify(std::optional<key::Digest> anchor = {}) {
    auto stopped = VerifyAudit(folder(), anchor);
    EXPECT_TRUE(stopped) << stopped.error().detail;
    auto store = OpenStore();
    auto running = driver_.Verify(*store, anchor);
    auto beside = VerifyAudit(folder(), anchor);
    EXPECT_TRUE(running && beside);
    EXPECT_EQ(running->is_intact, stopped->is_intact);
    EXPECT_EQ(running->problem, stopped->problem);
    EXPECT_EQ(beside->problem, stopped->problem);
    EXPECT_EQ(beside->head, stopped->head);
    return stopped.value_or(AuditVerdict{});
  }
  key::Digest anchor_;
};

TEST_F(TamperTest, S1_AnUntouchedTrailIsIntact) {
  const auto verdict = Verify(anchor_);
  EXPECT_TRUE(verdict.is_intact) << verdict.problem;
  EXPECT_TRUE(verdict.anchor_found);
  EXPECT_EQ(verdict.checked, 9);
}

TEST_F(TamperTest, S1_AnyChangedFieldIsFound) {
  const std::vector<std::string> changes = {"at = at + 1",           "account = zeroblob(16)",
                                            "actor_kind = 1",        "actor_id = 'else'",
                                            "action = 'key.rotate'", "subject = ''",
                                            "details = '{\"a\":1}'", "ip = '203.0.113.1'",
                                            "request_id = 'x'",      "previous = zeroblob(32)",
                                            "hash = zeroblob(32)",   "hash = zeroblob(3)",
                                            "actor_kind = 9"};
  const auto file = DatabaseFile(folder());
  const auto whole = *ReadFile(file, 1 << 24);
  for (const auto& change : changes) {
    Sql("UPDATE audit SET " + change + " WHERE number = 5");
    EXPECT_FALSE(Verify().is_intact) << change;
    std::ofstream(file, std::ios::binary) << whole;
  }
  EXPECT_TRUE(Verify().is_intact);
}

TEST_F(TamperTest, S1_ADeletedRecordIsFound) {
  Sql("DELETE FROM audit WHERE number = 5");
  EXPECT_EQ(Verify().problem, "record 5 is missing: 6 follows 4");
}

TEST_F(TamperTest, S1_ADeletedAndRenumberedRecordIsFound) {
  Sql("DELETE FROM audit WHERE number = 5;"
      "UPDATE audit SET number = -number + 1 WHERE number > 5;"
      "UPDATE audit SET number = -number WHERE number < 0");
  EXPECT_FALSE(Verify().is_intact);
}

TEST_F(TamperTest, S1_ReorderedRecordsAreFound) {
  Sql("UPDATE audit SET number = -1 WHERE number = 4; UPDATE audit SET number = 4 WHERE number = "
      "5; UPDATE audit SET number = 5 WHERE number = -1");
  EXPECT_FALSE(Verify().is_intact);
}

TEST_F(TamperTest, S1_ADeletedFrontIsFound) {
  Sql("DELETE FROM audit WHERE number <= 3");
  EXPECT_FALSE(Verify().is_intact);
}

TEST_F(TamperTest, S1_ACutTailIsFoundByTheHeadAndByTheAnchor) {
  Sql("DELETE FROM audit WHERE number >= 8");
  EXPECT_FALSE(Verify().is_intact);
  Sql("UPDATE audit_head SET number = 7, hash = (SELECT hash FROM audit WHERE number = 7)");
  EXPECT_TRUE(Verify().is_intact) << "a careful forger: only the anchor tells";
  const auto verdict = Verify(anchor_);
  EXPECT_FALSE(verdict.is_intact);
  EXPECT_FALSE(verdict.anchor_found);
}

TEST_F(TamperTest, S1_VerifyOnlyReads) {
  const auto file = DatabaseFile(folder());
  const auto before = *ReadFile(file, 1 << 24);
  ASSERT_TRUE(VerifyAudit(folder(), {}));
  EXPECT_EQ(*ReadFile(file, 1 << 24), before);
  EXPECT_FALSE(std::filesystem::exists(WalOf(file)));
  EXPECT_FALSE(std::filesystem::exists(ShmOf(file)));
  auto missing = VerifyAudit(folder() / "missing", {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

TEST_F(TamperTest, S1_VerifySeesWhatACrashLeftInTheLog) {
  // A copy of the files while the server runs is what a crash leaves.
  const auto crashed = folder() / "crashed";
  std::filesystem::create_directory(crashed);
  auto store = OpenStore();
  auto account = driver_.AddAccount(*store, /*is_first=*/false);
  ASSERT_TRUE(account);
  std::filesystem::copy(DatabaseFile(folder()), DatabaseFile(crashed));
  std::filesystem::copy(WalOf(DatabaseFile(folder())), WalOf(DatabaseFile(crashed)));
  auto verdict = VerifyAudit(crashed, {});
  ASSERT_TRUE(verdict) << verdict.error().detail;
  EXPECT_TRUE(verdict->is_intact) << verdict->problem;
  EXPECT_EQ(verdict->head.number, 10);
  EXPECT_GT(std::filesystem::file_size(WalOf(DatabaseFile(crashed))), 0u) << "it stays";
}

TEST_F(TamperTest, B_VerifyRefusesADamagedFile) {
  std::ofstream(DatabaseFile(folder())) << "no database";
  auto verdict = VerifyAudit(folder(), {});
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace p402::store::sqlite
