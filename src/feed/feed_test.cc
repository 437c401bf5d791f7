#include "feed/feed_test.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>
#include <thread>

namespace p402::feed {
namespace {

using key::Decision;
using store::testing::Call;
using store::testing::Fault;

TEST_F(FeedTest, StartLoadsEveryKeyInPages) {
  std::vector<key::Record> keys;
  for (int i = 0; i < 2001; ++i) keys.push_back(AddKey());
  EXPECT_FALSE(feed_.is_current());
  Start();
  EXPECT_TRUE(feed_.is_current());
  EXPECT_EQ(index_.size(), 2001u);
  const Progress progress = feed_.progress();
  EXPECT_EQ(progress.loaded, 2001);
  EXPECT_EQ(progress.total, 2001);
  EXPECT_EQ(progress.applied, keys.back().version);
  EXPECT_TRUE(progress.is_ready);
  EXPECT_THAT(metrics_->Expose(), ::testing::HasSubstr("p402_index_keys 2001"));
}

TEST_F(FeedTest, V4_NotCurrentBeforeTheIndexIsWhole) {
  for (int i = 0; i < 1500; ++i) AddKey();
  store_.Inject(Call::kScan, Fault::kDelayAnswer, 2);
  Outcome<Status> started;
  feed_.Start(started.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_EQ(index_.size(), 1000u);
  EXPECT_FALSE(feed_.is_current());
  EXPECT_FALSE(feed_.progress().is_ready);
  EXPECT_FALSE(started.value);
  store_.Release();
  scheduler_.RunUntilIdle();
  EXPECT_TRUE(feed_.is_current());
  EXPECT_TRUE(started.is_ok());
}

TEST_F(FeedTest, R1_WhatIsRevokedDuringTheScanIsRevokedWhenReady) {
  std::vector<key::Record> keys;
  for (int i = 0; i < 1500; ++i) keys.push_back(AddKey());
  store_.Inject(Call::kScan, Fault::kDelayAnswer, 2);
  Outcome<Status> started;
  feed_.Start(started.Into(scheduler_));
  scheduler_.RunUntilIdle();
  ASSERT_TRUE(driver_.Revoke(*memory_, keys.front()));  // read already, as active
  ASSERT_TRUE(driver_.Revoke(*memory_, keys.back()));   // being read, as active
  const auto late = AddKey();
  store_.Release();
  scheduler_.RunUntilIdle();
  ASSERT_TRUE(started.is_ok());
  EXPECT_EQ(Ask(keys.front()), Decision::kRevoked);
  EXPECT_EQ(Ask(keys.back()), Decision::kRevoked);
  EXPECT_EQ(Ask(late), Decision::kValid);
  EXPECT_EQ(index_.Dump(), Stored());
}

TEST_F(FeedTest, StartRetriesReadsAndSaysWhenItGivesUp) {
  AddKey();
  store_.Inject(Call::kScan, Fault::kFail, 1, 3);
  store_.Inject(Call::kReadHead, Fault::kFail, 1, 2);
  store_.Inject(Call::kCount, Fault::kFail, 1, 2);
  store_.Inject(Call::kReadLog, Fault::kFail, 1, 2);
  Outcome<Status> started;
  feed_.Start(started.Into(scheduler_));
  scheduler_.Advance(Millis(5000));
  EXPECT_TRUE(started.is_ok());
  EXPECT_EQ(index_.size(), 1u);
}

TEST_F(FeedTest, AScanThatFailsGoesOnWhereItWas) {
  for (int i = 0; i < 3500; ++i) AddKey();
  store_.Inject(Call::kScan, Fault::kFail, 2, 2);
  store_.Inject(Call::kScan, Fault::kLoseAnswer, 5, 1);
  Outcome<Status> started;
  feed_.Start(started.Into(scheduler_));
  scheduler_.Advance(Millis(1000));
  ASSERT_TRUE(started.is_ok());
  EXPECT_EQ(store_.calls(Call::kScan), 7);
  EXPECT_EQ(feed_.progress().loaded, 3500);
  EXPECT_EQ(index_.Dump(), Stored());
}

TEST_F(FeedTest, StartGivesUpAfterABoundedNumberOfFailuresAndMayBeCalledAgain) {
  AddKey();
  store_.Inject(Call::kScan, Fault::kFail, 1, 6);
  Outcome<Status> started;
  feed_.Start(started.Into(scheduler_));
  scheduler_.Advance(Millis(60'000));
  ASSERT_TRUE(started.value);
  EXPECT_EQ(started.code(), ErrorCode::kUnavailable);
  EXPECT_FALSE(feed_.is_current());
  EXPECT_EQ(store_.calls(Call::kScan), 6);
  Start();
  EXPECT_TRUE(feed_.is_current());
}

TEST_F(FeedTest, StartTwiceIsRefused) {
  Start();
  Outcome<Status> again;
  feed_.Start(again.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_EQ(again.code(), ErrorCode::kConflict);
}

TEST_F(FeedTest, R1_ABarrierCompletesWhenTheIndexHasTheChange) {
  const auto record = AddKey();
  Start();
  store_.Inject(Call::kReadLog, Fault::kDelayAnswer);
  const auto revoked = *driver_.Revoke(*memory_, record);
  Reached reached;
  feed_.Barrier(revoked.version, reached.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_FALSE(reached.value) << "the log has not been read";
  EXPECT_EQ(Ask(record), Decision::kValid);
  EXPECT_EQ(feed_.Pending(revoked.version), std::vector<std::string>{feed_.node_id()});
  clock_.Advance(Millis(7));
  store_.Release();
  scheduler_.RunUntilIdle();
  ASSERT_TRUE(reached.is_ok());
  EXPECT_EQ((*reached.value)->acknowledged, 1);
  EXPECT_EQ((*reached.value)->expired, 0);
  EXPECT_EQ((*reached.value)->took, Millis(7));
  EXPECT_EQ(Ask(record), Decision::kRevoked);
  EXPECT_TRUE(feed_.Pending(revoked.version).empty());
  EXPECT_THAT(metrics_->Expose(), ::testing::HasSubstr("p402_feed_barrier_seconds_count 1"));
}

TEST_F(FeedTest, ABarrierThatIsReachedCompletesWithoutARead) {
  const auto record = AddKey();
  Start();
  const int reads = store_.calls(Call::kReadLog);
  Reached reached;
  feed_.Barrier(record.version, reached.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_TRUE(reached.is_ok());
  EXPECT_EQ(store_.calls(Call::kReadLog), reads);
}

TEST_F(FeedTest, OneReadServesEveryBarrierThatWaits) {
  Start();
  const int reads = store_.calls(Call::kReadLog);
  std::vector<Reached> reached(50);
  for (auto& one : reached) feed_.Barrier(AddKey().version, one.Into(scheduler_));
  scheduler_.RunUntilIdle();
  for (const auto& one : reached) EXPECT_TRUE(one.is_ok());
  EXPECT_LE(store_.calls(Call::kReadLog), reads + 2);
}

TEST_F(FeedTest, ABarrierWaitsForTheStart) {
  const auto record = AddKey();
  Reached reached;
  feed_.Barrier(record.version, reached.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_FALSE(reached.value);
  Start();
  EXPECT_TRUE(reached.is_ok());
}

TEST_F(FeedTest, ALongLogIsReadInBatches) {
  Start();
  for (int i = 0; i < 2500; ++i) AddKey();
  Reached reached;
  feed_.Barrier(2501, reached.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_TRUE(reached.is_ok());
  EXPECT_EQ(index_.Dump(), Stored());
}

TEST_F(FeedTest, WhatNobodyWaitsForIsAppliedSoon) {
  Start();
  const auto record = AddKey();
  scheduler_.RunUntilIdle();
  EXPECT_EQ(Ask(record), Decision::kNotFound);
  scheduler_.Advance(Millis(100));
  EXPECT_EQ(Ask(record), Decision::kValid);
}

TEST_F(FeedTest, ABarrierOfTheFutureWaitsWithoutSpinning) {
  Start();
  Reached reached;
  feed_.Barrier(3, reached.Into(scheduler_));
  scheduler_.RunUntilIdle();
  const int reads = store_.calls(Call::kReadLog);
  scheduler_.Advance(Millis(1000));
  EXPECT_FALSE(reached.value);
  EXPECT_LE(store_.calls(Call::kReadLog), reads + 11);
  AddKey();
  AddKey();
  scheduler_.Advance(Millis(200));
  EXPECT_TRUE(reached.is_ok());
}

TEST_F(FeedTest, AFailedReadIsTriedAgain) {
  Start();
  const auto record = AddKey();
  store_.Inject(Call::kReadLog, Fault::kFail, 1, 5);
  Reached reached;
  feed_.Barrier(record.version, reached.Into(scheduler_));
  scheduler_.Advance(Millis(2000));
  EXPECT_TRUE(reached.is_ok());
  EXPECT_TRUE(feed_.is_current());
}

TEST_F(FeedTest, AStoreThatCannotBeReadEndsTheBarrierButNotTheFeed) {
  Start();
  const auto record = AddKey();
  store_.Inject(Call::kReadLog, Fault::kFail, 1, 6);
  Reached reached;
  feed_.Barrier(record.version, reached.Into(scheduler_));
  scheduler_.Advance(Millis(310));
  ASSERT_TRUE(reached.value);
  EXPECT_EQ(reached.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(Ask(record), Decision::kNotFound);
  scheduler_.Advance(Millis(2000));
  EXPECT_EQ(Ask(record), Decision::kValid);
  const auto lines = log_.Lines();
  const auto warnings = std::ranges::count_if(
      lines, [](auto& line) { return line.find("feed.read_failed") != std::string::npos; });
  EXPECT_EQ(warnings, 1) << "a streak of failures is one line";
}

// Ways in which a log can be wrong; each is applied to what the store answers.
struct Forgery {
  const char* name;
  std::function<void(std::vector<store::Change>&)> forge;
};
class CorruptTest : public FeedTest, public ::testing::WithParamInterface<Forgery> {};

TEST_P(CorruptTest, R1_AHistoryThatCannotBeRightEndsCurrency) {
  const auto record = AddKey();
  Start();
  const auto other = AddKey();
  const auto revoked = *driver_.Revoke(*memory_, record);
  forged_.forge = GetParam().forge;
  Reached reached;
  Reached second;
  feed_.Barrier(other.version, second.Into(scheduler_));
  feed_.Barrier(revoked.version, reached.Into(scheduler_));
  scheduler_.RunUntilIdle();
  ASSERT_TRUE(reached.value);
  EXPECT_EQ(reached.code(), ErrorCode::kCorrupt);
  EXPECT_FALSE(feed_.is_current());
  EXPECT_FALSE(feed_.progress().is_ready);
  forged_.forge = nullptr;
  Reached later;
  feed_.Barrier(1, later.Into(scheduler_));
  scheduler_.Advance(Millis(1000));
  EXPECT_EQ(later.code(), ErrorCode::kCorrupt) << "it does not heal by itself";
  EXPECT_FALSE(feed_.is_current());
  EXPECT_FALSE(feed_.Pending(1).empty());
  const auto lines = log_.Lines();
  const auto errors = std::ranges::count_if(
      lines, [](auto& line) { return line.find("feed.corrupt") != std::string::npos; });
  EXPECT_EQ(errors, 1);
}

INSTANTIATE_TEST_SUITE_P(
    Forgeries, CorruptTest,
    ::testing::Values(Forgery{"AnotherTag", [](auto& log) { log.front().tag ^= 1; }},
                      Forgery{"Trimmed", [](auto& log) { log.erase(log.begin()); }},
                      Forgery{"Empty", [](auto& log) { log.clear(); }},
                      Forgery{"Gap", [](auto& log) { log.erase(log.begin() + 1); }},
                      Forgery{"Swapped", [](auto& log) { std::swap(log[1], log[2]); }},
                      Forgery{"BadPayload", [](auto& log) { log.back().payload.pop_back(); }},
                      Forgery{"AnotherSubject", [](auto& log) { log.back().subject.back() ^= 1; }},
                      Forgery{"AnotherAccount",
                              [](auto& log) { log.back().account.uuid[0] ^= 1; }}),
    [](const auto& forgery) { return std::string(forgery.param.name); });

TEST_F(FeedTest, R1_AStoreThatSaysItIsDamagedIsBelieved) {
  Start();
  store_.Inject(Call::kReadLog, Fault::kFail, 1, 1,
                {.code = ErrorCode::kCorrupt, .detail = "bad page"});
  Reached reached;
  feed_.Barrier(AddKey().version, reached.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_EQ(reached.code(), ErrorCode::kCorrupt);
  EXPECT_FALSE(feed_.is_current());
}

TEST_F(FeedTest, ACorruptLogEndsTheStart) {
  AddKey();
  forged_.forge = [](auto& log) { log.front().tag ^= 1; };
  Outcome<Status> started;
  feed_.Start(started.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_EQ(started.code(), ErrorCode::kCorrupt);
  EXPECT_FALSE(feed_.is_current());
}

TEST_F(FeedTest, StopEndsWhatWaitsAndCurrency) {
  Start();
  store_.Inject(Call::kReadLog, Fault::kDelayAnswer);
  const auto record = AddKey();
  Reached waiting;
  feed_.Barrier(record.version, waiting.Into(scheduler_));
  scheduler_.RunUntilIdle();
  feed_.Stop();
  EXPECT_FALSE(feed_.is_current());
  store_.Release();
  Reached later;
  feed_.Barrier(1, later.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_EQ(waiting.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(later.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(Ask(record), Decision::kNotFound) << "nothing is applied after Stop";
}

TEST_F(FeedTest, StopEndsTheStart) {
  store_.Inject(Call::kReadHead, Fault::kDelayAnswer);
  Outcome<Status> started;
  feed_.Start(started.Into(scheduler_));
  scheduler_.RunUntilIdle();
  feed_.Stop();
  store_.Release();
  scheduler_.RunUntilIdle();
  EXPECT_EQ(started.code(), ErrorCode::kUnavailable);
}

class FollowTest : public FeedTest, public ::testing::WithParamInterface<unsigned> {};

// Random changes, barriers and failures: at every step a reached barrier is obeyed, and in the end
// the index is the store.
TEST_P(FollowTest, R1_TheIndexIsTheFoldOfTheStoresChanges) {
  std::mt19937 dice(GetParam());
  std::vector<key::Record> keys;
  std::vector<std::unique_ptr<Reached>> barriers;
  for (int i = 0; i < 20; ++i) keys.push_back(AddKey());
  Start();
  for (int step = 0; step < 200; ++step) {
    auto& record = keys[dice() % keys.size()];
    switch (dice() % 6) {
      case 0:
        keys.push_back(AddKey());
        break;
      case 1: {
        record = *driver_.Revoke(*memory_, record);
        auto reached = std::make_unique<Reached>();
        feed_.Barrier(record.version, reached->Into(scheduler_));
        scheduler_.Advance(Millis(150));
        EXPECT_TRUE(reached->is_ok());
        EXPECT_EQ(Ask(record), Decision::kRevoked) << "seed " << GetParam();
        barriers.push_back(std::move(reached));
        break;
      }
      case 2:
        store_.Inject(Call::kReadLog, Fault::kFail, 1, 1 + static_cast<int>(dice() % 3));
        break;
      case 3:
        scheduler_.RunUntilIdle();
        break;
      default: {
        barriers.push_back(std::make_unique<Reached>());
        feed_.Barrier(record.version, barriers.back()->Into(scheduler_));
      }
    }
  }
  scheduler_.Advance(Millis(500));
  for (const auto& barrier : barriers) EXPECT_TRUE(barrier->is_ok()) << "seed " << GetParam();
  EXPECT_EQ(index_.Dump(), Stored()) << "seed " << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Seeds, FollowTest, ::testing::Range(1u, 21u));

// Real threads: committers wait for their barriers, and after each the key is refused.
TEST(FeedThreads, R1_AfterTheBarrierNoLookupFindsTheKeyValid) {
  store::testing::Driver driver;
  auto store = store::memory::Create(driver.clock(), driver.random());
  testing::MemoryLog log;
  auto metrics = Metrics::Create();
  index::Index index("p402");
  TaskThread thread("feed", driver.clock());
  Feed feed(*store, index, thread, driver.clock(), log, *metrics);
  const auto account = *driver.AddAccount(*store);
  ASSERT_TRUE(Await<Status>(driver.executor(), [&](auto done) { feed.Start(std::move(done)); }));
  auto work = [&] {
    for (int i = 0; i < 100; ++i) {
      auto record = *driver.AddKey(*store, account);
      for (const Decision expected : {Decision::kValid, Decision::kRevoked}) {
        auto reached = Await<Result<BarrierReport>>(
            driver.executor(), [&](auto done) { feed.Barrier(record.version, std::move(done)); });
        ASSERT_TRUE(reached);
        const auto answer = index.Recheck(record.digest, {}, driver.clock().Now());
        ASSERT_EQ(answer.decision, expected);
        if (expected == Decision::kValid) record = *driver.Revoke(*store, record);
      }
    }
  };
  std::thread first(work);
  std::thread second(work);
  first.join();
  second.join();
  feed.Stop();
}

}  // namespace
}  // namespace p402::feed
