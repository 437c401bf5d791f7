#include "store/sqlite/mark_log.h"

#include <algorithm>
#include <map>
#include <random>

#include "store/sqlite/rows.h"
#include "store/sqlite/store_test.h"

namespace p402::store::sqlite {
namespace {

// Every bound is reached within moments.
constexpr MarkLogOptions kTiny{
    .max_rows = 4, .max_bytes = 4096, .max_marks = 20, .fold_marks = 3, .clear_rows = 2};

class MarkLogTest : public SqliteTest {
 protected:
  void SetUp() override {
    {
      auto store = OpenStore();
      account_ = *driver_.AddAccount(*store);
      for (int i = 0; i < 12; ++i) keys_.push_back(driver_.AddKey(*store, account_)->id);
    }
    database_ = *Database::Open({.file = DatabaseFile(folder())});
  }

  std::unique_ptr<MarkLog> Load(const MarkLogOptions& options = kTiny) {
    return *MarkLog::Load(*database_, log_, options);
  }
  UsageMark MarkOf(size_t key, int64_t at) const {
    return {.key = keys_.at(key), .at = WallTime(Millis(at))};
  }
  // One transaction of its own.
  void Write(MarkLog& marks, MarkRun run) {
    ASSERT_TRUE(database_->Execute("BEGIN IMMEDIATE"));
    marks.Begin();
    ASSERT_TRUE(marks.Write(*database_, std::move(run)));
    ASSERT_TRUE(database_->Execute("COMMIT"));
    marks.Committed();
  }
  std::optional<int64_t> Shown(const LoggedMarks& marks, size_t key) {
    auto record = ReadKey(*database_, keys_.at(key), marks);
    EXPECT_TRUE(record && *record);
    if (!(*record)->last_used_at) return std::nullopt;
    return (*record)->last_used_at->time_since_epoch().count();
  }
  std::optional<int64_t> Shown(const MarkLog& marks, size_t key) { return Shown(marks.Now(), key); }
  int64_t Rows() { return *database_->ReadInt("SELECT count(*) FROM usage_log"); }
  int64_t Folded() { return *database_->ReadInt("SELECT count(*) FROM usage"); }

  key::AccountId account_;
  std::vector<key::KeyId> keys_;
  std::unique_ptr<Database> database_;
};

TEST_F(MarkLogTest, L1_AMarkIsOneRowOfTheLogAndIsShown) {
  auto marks = Load({});
  Write(*marks, {MarkOf(3, 7000), MarkOf(1, 5000), MarkOf(3, 6000)});
  EXPECT_EQ(Rows(), 1);
  EXPECT_EQ(Folded(), 0);
  EXPECT_EQ(Shown(*marks, 1), 5000);
  EXPECT_EQ(Shown(*marks, 3), 7000) << "the latest of a key";
  EXPECT_EQ(Shown(*marks, 0), std::nullopt);
}

TEST_F(MarkLogTest, L1_TheFormOfARowNeverChanges) {
  keys_[0].uuid.fill(0x11);
  auto marks = Load({});
  Write(*marks, {MarkOf(0, 0x0102030405)});
  EXPECT_EQ(*database_->ReadInt("SELECT hex(marks) = "
                                "'111111111111111111111111111111110504030201000000EAB3C7E9' "
                                "FROM usage_log"),
            1);
}

TEST_F(MarkLogTest, L2_TheLogIsReadAgain) {
  {
    auto marks = Load({});
    Write(*marks, {MarkOf(0, 5000), MarkOf(2, 5000)});
    Write(*marks, {MarkOf(0, 4000), MarkOf(1, 6000)});
  }
  auto marks = Load({});
  EXPECT_EQ(Shown(*marks, 0), 5000) << "it never goes back";
  EXPECT_EQ(Shown(*marks, 1), 6000);
  EXPECT_EQ(Shown(*marks, 2), 5000);
  EXPECT_EQ(marks->waiting(), 3u) << "each key once";
  Write(*marks, {MarkOf(3, 1000)});
  EXPECT_EQ(Rows(), 3) << "numbers go on";
}

TEST_F(MarkLogTest, L2_WhatIsNotCommittedIsNotShown) {
  auto marks = Load({});
  ASSERT_TRUE(database_->Execute("BEGIN IMMEDIATE"));
  marks->Begin();
  ASSERT_TRUE(marks->Write(*database_, {MarkOf(0, 5000)}));
  database_->Rollback();
  EXPECT_EQ(Shown(*marks, 0), std::nullopt);
  Write(*marks, {MarkOf(1, 6000)});
  EXPECT_EQ(Shown(*marks, 0), std::nullopt);
  EXPECT_EQ(Shown(*marks, 1), 6000);
}

TEST_F(MarkLogTest, L1_AFullLogIsFoldedInPieces) {
  auto marks = Load();
  int64_t most_rows = 0;
  int64_t before = 0;
  for (int64_t at = 1; at <= 200; ++at) {
    const auto key = static_cast<size_t>(at) % keys_.size();
    Write(*marks, {MarkOf(key, at)});
    ASSERT_EQ(Shown(*marks, key), at);
    EXPECT_LE(Folded(), before + 3) << "a piece at a time";
    before = Folded();
    most_rows = std::max(most_rows, Rows());
  }
  EXPECT_EQ(Folded(), 12);
  EXPECT_LE(most_rows, 20) << "the log is bounded";
  EXPECT_LE(marks->waiting(), 20u);
}

TEST_F(MarkLogTest, L1_EachBoundStartsTheFolding) {
  auto folds = [&](MarkLogOptions options, size_t writes) {
    EXPECT_TRUE(database_->Execute("DELETE FROM usage; DELETE FROM usage_log"));
    auto marks = Load(options);
    for (size_t i = 0; i < writes; ++i) Write(*marks, {MarkOf(i, 1000)});
    return Folded() > 0;
  };
  // One write more than the one that exceeds the bound: that one folds. A row has 28 bytes.
  EXPECT_FALSE(folds({.max_rows = 3}, 4));
  EXPECT_TRUE(folds({.max_rows = 3}, 5));
  EXPECT_FALSE(folds({.max_bytes = 84}, 4));
  EXPECT_TRUE(folds({.max_bytes = 84}, 5));
  EXPECT_FALSE(folds({.max_marks = 3}, 4));
  EXPECT_TRUE(folds({.max_marks = 3}, 5));
  EXPECT_FALSE(folds({}, 12));
}

// A reading that began before the folding ended adds what it saw; one that begins later finds it in
// the rows.
TEST_F(MarkLogTest, L2_AReadingBesideTheFoldingMissesNothing) {
  auto marks = Load();
  Write(*marks, {MarkOf(0, 5000), MarkOf(11, 5000)});
  const LoggedMarks early = marks->Now();
  for (int64_t at = 1; at <= 60; ++at) {
    Write(*marks, {MarkOf(1 + static_cast<size_t>(at) % 10, at)});
    EXPECT_EQ(Shown(early, 0), 5000);
    EXPECT_EQ(Shown(*marks, 0), 5000);
    EXPECT_EQ(Shown(*marks, 11), 5000);
  }
  EXPECT_EQ(Shown(LoggedMarks(), 0), 5000) << "it is in the rows by now";
}

TEST_F(MarkLogTest, L2_AStopAtAnyMomentLosesNothingAndLowersNothing) {
  std::minstd_rand random(1);
  std::map<size_t, int64_t> latest;
  auto marks = Load();
  for (int round = 0; round < 500; ++round) {
    MarkRun run;
    for (size_t i = 0; i <= random() % 5; ++i) {
      const size_t key = random() % keys_.size();
      const auto at = static_cast<int64_t>(1 + random() % 100'000);
      run.push_back(MarkOf(key, at));
      latest[key] = std::max(latest[key], at);
    }
    Write(*marks, std::move(run));
    if (random() % 4 == 0) marks = Load();
    for (const auto& [key, at] : latest) ASSERT_EQ(Shown(*marks, key), at) << round;
  }
}

TEST_F(MarkLogTest, B_ADamagedRowIsReportedAndLeftOut) {
  {
    auto marks = Load({});
    Write(*marks, {MarkOf(0, 5000)});
    Write(*marks, {MarkOf(1, 5000)});
    Write(*marks, {MarkOf(2, 5000)});
  }
  const std::string whole = "(SELECT marks FROM usage_log WHERE number = 1)";
  for (const std::string& damaged :
       {"substr(" + whole + ", 1, 27)", "substr(" + whole + ", 5)", std::string("x''"),
        "x'00' || substr(" + whole + ", 2)", "substr(" + whole + ", 1, 27) || x'FF'"}) {
    ASSERT_TRUE(database_->Execute("UPDATE usage_log SET marks = CAST(" + damaged +
                                   " AS BLOB) WHERE number = 2"));
    p402::testing::MemoryLog log;
    auto marks = *MarkLog::Load(*database_, log);
    EXPECT_EQ(log.Lines().size(), 1u) << damaged;
    EXPECT_EQ(Shown(*marks, 0), 5000);
    EXPECT_EQ(Shown(*marks, 1), std::nullopt);
    EXPECT_EQ(Shown(*marks, 2), 5000);
  }
  auto marks = Load();
  for (int64_t at = 1; at <= 20; ++at) Write(*marks, {MarkOf(3, at)});
  EXPECT_EQ(*database_->ReadInt("SELECT count(*) FROM usage_log WHERE number <= 3"), 0)
      << "the folding removes it";
}

TEST_F(MarkLogTest, L1_MarksOfUnknownKeysEndWithTheFolding) {
  auto marks = Load();
  const UsageMark unknown{.key = driver_.NewKey(account_).id, .at = WallTime(Millis(1))};
  for (int i = 0; i < 30; ++i) Write(*marks, {unknown});
  EXPECT_EQ(Folded(), 0);
  EXPECT_LE(Rows(), 12);
}

}  // namespace
}  // namespace p402::store::sqlite
