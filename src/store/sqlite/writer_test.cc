#include "store/sqlite/writer.h"

#include <atomic>
#include <fstream>
#include <future>

#include "store/sqlite/rows.h"
#include "store/sqlite/store_test.h"
#include "store/testing/fault_vfs.h"

namespace p402::store::sqlite {
namespace {

using store::testing::Driver;

class WriterTest : public SqliteTest {
 protected:
  void SetUp() override {
    {
      OpenStore();
    }
    auto database = Database::Open({.file = DatabaseFile(folder())});
    ASSERT_TRUE(database);
    database_ = database->get();
    auto id = ReadStoreId(*database_);
    ASSERT_TRUE(id);
    auto journal = Journal::Open(folder(), *id, journal_disk_.name());
    ASSERT_TRUE(journal);
    auto marks = MarkLog::Load(*database_, log_);
    ASSERT_TRUE(marks);
    marks_ = *std::move(marks);
    writer_ = std::make_unique<Writer>(*std::move(database), *std::move(journal), *marks_,
                                       driver_.clock(), driver_.random(), log_, *metrics_);
    account_.uuid.fill(1);
    Writes writes = Driver::ChangeOf(driver_.NewKey(account_), ChangeKind::kPermit);
    writes.accounts.push_back({.id = account_, .name = "acme"});
    ASSERT_TRUE(Commit(std::move(writes)));
  }

  void Add(Plan plan, std::move_only_function<void(Result<Committed>)> done) {
    writer_->Add(
        CommitJob{.plan = std::move(plan),
                  .done = Callback<Result<Committed>>(driver_.executor(), std::move(done))});
  }
  Result<Committed> Commit(Writes writes) {
    return Await<Result<Committed>>(driver_.executor(), [&](auto done) {
      writer_->Add(CommitJob{.plan = Driver::PlanOf(std::move(writes)), .done = std::move(done)});
    });
  }
  // Holds the writer until `release` is set, so that what is added meanwhile is one group.
  void Hold(std::promise<void>& release) {
    std::promise<void> started;
    Add(
        [&](Transaction&) -> Result<Writes> {
          started.set_value();
          release.get_future().wait();
          return Fail(ErrorCode::kConflict, "only holding");
        },
        [](Result<Committed>) {});
    started.get_future().wait();
  }
  uint64_t Groups() { return metrics_->counter("p402_store_groups_total", "").Value(); }

  store::testing::FaultVfs journal_disk_;
  Database* database_ = nullptr;  // the writer's: only while it is held or idle
  std::unique_ptr<MarkLog> marks_;
  std::unique_ptr<Writer> writer_;
  key::AccountId account_;
};

TEST_F(WriterTest, WhatWaitsIsOneGroup) {
  const auto before = Groups();
  std::promise<void> release;
  Hold(release);
  std::promise<void> all;
  std::atomic<int> done = 0;
  for (int i = 0; i < 64; ++i) {
    Add(Driver::PlanOf(Driver::ChangeOf(driver_.NewKey(account_), ChangeKind::kPermit)),
        [&](Result<Committed> result) {
          EXPECT_TRUE(result);
          if (++done == 64) all.set_value();
        });
  }
  release.set_value();
  all.get_future().wait();
  EXPECT_EQ(Groups(), before + 2) << "the holder, and the group";
}

TEST_F(WriterTest, B_AChangeThatDoesNotFitOnTheDiskDoesNotSpoilItsGroup) {
  std::promise<void> release;
  Hold(release);
  std::promise<void> all;
  std::atomic<int> done = 0;
  std::atomic<int> failed = 0;
  std::vector<key::Record> keys;
  int plans = 0;
  for (int i = 0; i < 20; ++i) {
    keys.push_back(driver_.NewKey(account_));
    auto writes = Driver::ChangeOf(keys.back(), ChangeKind::kPermit);
    if (i == 10) writes.audit[0].details = std::string(4'000'000, 'x');
    Add(
        [this, writes, i, &plans](Transaction&) -> Result<Writes> {
          ++plans;
          // On the writer's thread: half a megabyte of room is left.
          if (i == 0) {
            P402_TRY(const int64_t pages, database_->ReadInt("PRAGMA page_count"));
            P402_TRY(database_->Execute("PRAGMA max_page_count=" + std::to_string(pages + 128)));
          }
          return writes;
        },
        [&, i](Result<Committed> result) {
          if (!result) {
            ++failed;
            EXPECT_EQ(i, 10);
            EXPECT_EQ(result.error().code, ErrorCode::kResourceExhausted);
          }
          if (++done == 20) all.set_value();
        });
  }
  release.set_value();
  all.get_future().wait();
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(plans, 11 + 19) << "the whole transaction was lost, and the others ran again";
  writer_.reset();
  auto store = OpenStore();
  ASSERT_TRUE(store);
  for (int i = 0; i < 20; ++i) {
    auto found = driver_.Get(*store, keys[static_cast<size_t>(i)]);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->has_value(), i != 10) << i;
  }
  EXPECT_TRUE(driver_.Verify(*store)->is_intact);
  EXPECT_EQ(driver_.ReadLog(*store)->size(), 2u + 19u);
}

// Whoever repeats a change that is committed already relies on the line of another one, so that not
// only the changes with a line of their own fail.
TEST_F(WriterTest, C5_WithoutTheJournalNoChangeOfTheGroupIsDone) {
  std::vector<key::Record> keys;
  for (int i = 0; i < 3; ++i) {
    keys.push_back(driver_.NewKey(account_));
    ASSERT_TRUE(Commit(Driver::ChangeOf(keys.back(), ChangeKind::kPermit)));
  }
  std::promise<void> release;
  Hold(release);
  std::promise<void> all;
  std::atomic<int> done = 0;
  for (int i = 0; i < 4; ++i) {
    Writes writes = Driver::ChangeOf(driver_.NewKey(account_), ChangeKind::kPermit);
    if (i == 2) {
      keys[0].revoked_at = driver_.clock().Now();
      writes = Driver::ChangeOf(keys[0], ChangeKind::kRevoke);
    }
    Add(Driver::PlanOf(std::move(writes)), [&, i](Result<Committed> result) {
      EXPECT_FALSE(result) << i;
      if (!result) {
        EXPECT_TRUE(result.error().detail.starts_with("outcome unknown: committed, but not in"))
            << result.error().detail;
      }
      if (++done == 4) all.set_value();
    });
  }
  journal_disk_.FailAt(1, store::testing::FaultVfs::Fault::kIoError);
  release.set_value();
  all.get_future().wait();
  EXPECT_TRUE(journal_disk_.has_struck());
  EXPECT_TRUE(HasLogged("store.journal_failed"));

  keys[1].revoked_at = driver_.clock().Now();
  ASSERT_TRUE(Commit(Driver::ChangeOf(keys[1], ChangeKind::kRevoke)));
  const auto journal = ReadJournal(folder());
  ASSERT_TRUE(journal);
  ASSERT_EQ(journal->lines.revocations.size(), 2U) << "the line that waited, and the new one";
  EXPECT_EQ(journal->lines.revocations[0].key, keys[0].id);
}

// Of one group: the first and the last succeed, whatever becomes of the one between them.
class GroupTest : public WriterTest {
 protected:
  void SetUp() override {
    WriterTest::SetUp();
    first_ = driver_.NewKey(account_);
    last_ = driver_.NewKey(account_);
    bad_ = driver_.NewKey(account_);
  }
  void Run(Plan middle, ErrorCode expected) {
    std::promise<void> release;
    Hold(release);
    std::promise<void> all;
    std::atomic<int> done = 0;
    auto end = [&] {
      if (++done == 3) all.set_value();
    };
    auto succeeds = [&, end](const Result<Committed>& result) {
      EXPECT_TRUE(result);
      end();
    };
    auto fails = [&, end](const Result<Committed>& result) {
      EXPECT_EQ(result ? ErrorCode::kInternal : result.error().code, expected);
      end();
    };
    Add(Driver::PlanOf(Driver::ChangeOf(first_, ChangeKind::kPermit)), succeeds);
    Add(std::move(middle), fails);
    Add(Driver::PlanOf(Driver::ChangeOf(last_, ChangeKind::kPermit)), succeeds);
    release.set_value();
    all.get_future().wait();
    writer_.reset();
    auto store = OpenStore();
    ASSERT_TRUE(store);
    EXPECT_TRUE(driver_.Verify(*store)->is_intact);
    EXPECT_EQ(driver_.Verify(*store)->checked, 3) << "no trace of the one that failed";
    const auto log = *driver_.ReadLog(*store);
    ASSERT_EQ(log.size(), 2u + 2u) << "account, key, first, last";
    for (size_t i = 0; i < log.size(); ++i) EXPECT_EQ(log[i].seq, static_cast<int64_t>(i) + 1);
    EXPECT_EQ(log[2].subject, first_.id.ToString());
    EXPECT_EQ(log[3].subject, last_.id.ToString());
    EXPECT_FALSE(driver_.Get(*store, bad_)->has_value());
  }
  // Its digest is the first's, so that it cannot be written.
  key::Record Twin() {
    bad_ = driver_.NewKey(account_);
    bad_.digest = first_.digest;
    return bad_;
  }

  key::Record first_;
  key::Record last_;
  key::Record bad_;
};

TEST_F(GroupTest, S1_APlanThatRefuses) {
  Run([](Transaction&) -> Result<Writes> { return Fail(ErrorCode::kConflict, "refused"); },
      ErrorCode::kConflict);
}

TEST_F(GroupTest, S1_AChangeWhoseFirstRowFails) {
  Run(Driver::PlanOf(Driver::ChangeOf(Twin(), ChangeKind::kPermit)), ErrorCode::kConflict);
}

TEST_F(GroupTest, S1_AChangeThatFailsHavingWritten) {
  auto writes = Driver::ChangeOf(driver_.NewKey(account_), ChangeKind::kPermit);
  writes.keys.push_back({.record = Twin(), .kind = ChangeKind::kPermit});
  Run(Driver::PlanOf(std::move(writes)), ErrorCode::kConflict);
}

// The actor that one plan reads is the one that the plan before it left.
TEST_F(WriterTest, R2_APlanSeesWhatTheOneBeforeItWrote) {
  const key::Record actor = driver_.NewKey(account_);
  ASSERT_TRUE(Commit(Driver::ChangeOf(actor, ChangeKind::kPermit)));
  std::promise<void> release;
  Hold(release);
  std::promise<void> all;
  auto reads = [&](bool expected, Writes writes) {
    return [&actor, expected, writes = std::move(writes)](Transaction& transaction) {
      auto found = transaction.GetKey(actor.id);
      EXPECT_TRUE(found && *found);
      EXPECT_EQ((*found)->revoked_at.has_value(), expected);
      return Result<Writes>(writes);
    };
  };
  key::Record revoked = actor;
  revoked.revoked_at = driver_.clock().Now();
  Add(reads(false, Driver::ChangeOf(revoked, ChangeKind::kRevoke)), [](Result<Committed>) {});
  Add(reads(true, Driver::ChangeOf(driver_.NewKey(account_), ChangeKind::kPermit)),
      [](Result<Committed>) {});
  Add(reads(true, Driver::ChangeOf(driver_.NewKey(account_), ChangeKind::kPermit)),
      [&](Result<Committed>) { all.set_value(); });
  release.set_value();
  all.get_future().wait();
}

}  // namespace
}  // namespace p402::store::sqlite
