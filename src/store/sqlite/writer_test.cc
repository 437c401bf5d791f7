#include "store/sqlite/writer.h"

#include <atomic>
#include <fstream>
#include <future>

#include "store/sqlite/rows.h"
#include "store/sqlite/store_test.h"

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
    auto journal = Journal::Open(folder(), *id, {});
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
    return store::testing::Await<Result<Committed>>(driver_.executor(), [&](auto done) {
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

}  // namespace
}  // namespace p402::store::sqlite
