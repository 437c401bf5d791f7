#include <future>
#include <map>
#include <thread>

#include "feed/feed_test.h"

namespace p402::feed {
namespace {

using Applied = std::move_only_function<void()>;

// Notes what it is told, and keeps the acknowledgements until it is asked to give them.
class Recorder final : public Subscriber {
 public:
  struct Told {
    int64_t seq;
    std::string name;  // of the key; empty: none
    bool was_in_index;
  };
  explicit Recorder(const index::Index& index) : index_(index) {}

  void OnChange(const store::Change& change, const key::Record* record, Applied applied) override {
    const auto known = record == nullptr ? nullptr : index_.Find(record->id);
    told.push_back({.seq = change.seq,
                    .name = record == nullptr ? "" : record->name,
                    .was_in_index = known && known->version >= change.seq});
    if (holds) {
      held[change.seq] = std::move(applied);
    } else {
      applied();
    }
    if (on_change) on_change();
  }

  bool holds = false;
  std::vector<Told> told;
  std::map<int64_t, Applied> held;
  std::function<void()> on_change;

 private:
  const index::Index& index_;
};

class SubscriberTest : public FeedTest {
 protected:
  ~SubscriberTest() override { feed_.Unsubscribe(recorder_); }
  Recorder recorder_{index_};
};

TEST_F(SubscriberTest, R3_IsToldInOrderAfterTheIndex) {
  Start();
  feed_.Subscribe(recorder_);
  const auto first = AddKey();
  ASSERT_TRUE(driver_.AddAccount(*memory_, /*is_first=*/false));
  const auto last = *driver_.Revoke(*memory_, first);
  Reached reached;
  feed_.Barrier(last.version, reached.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_TRUE(reached.is_ok());
  ASSERT_EQ(recorder_.told.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(recorder_.told[i].seq, first.version + static_cast<int64_t>(i));
  }
  EXPECT_EQ(recorder_.told[0].name, first.name);
  EXPECT_TRUE(recorder_.told[0].was_in_index);
  EXPECT_EQ(recorder_.told[1].name, "") << "an account is no key";
  EXPECT_TRUE(recorder_.told[2].was_in_index);
}

TEST_F(SubscriberTest, R3_ABarrierWaitsUntilEverySubscriberHasObeyed) {
  Start();
  Recorder quick(index_);
  recorder_.holds = true;
  feed_.Subscribe(recorder_);
  feed_.Subscribe(quick);
  const auto first = AddKey();
  const auto second = AddKey();
  Reached one;
  Reached two;
  feed_.Barrier(first.version, one.Into(scheduler_));
  feed_.Barrier(second.version, two.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_EQ(index_.size(), 2u);
  EXPECT_FALSE(one.value);
  EXPECT_FALSE(feed_.Pending(first.version).empty());
  recorder_.held[second.version]();
  scheduler_.RunUntilIdle();
  EXPECT_FALSE(two.value) << "the one before is not obeyed";
  Reached three;
  feed_.Barrier(second.version, three.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_FALSE(three.value) << "applied, but not obeyed";
  recorder_.held[first.version]();
  scheduler_.RunUntilIdle();
  EXPECT_TRUE(one.is_ok());
  EXPECT_TRUE(two.is_ok());
  EXPECT_TRUE(three.is_ok());
  EXPECT_TRUE(feed_.Pending(second.version).empty());
  feed_.Unsubscribe(quick);
}

TEST_F(SubscriberTest, R3_MayAcknowledgeFromAnotherThread) {
  Start();
  recorder_.holds = true;
  feed_.Subscribe(recorder_);
  const auto record = AddKey();
  Reached reached;
  feed_.Barrier(record.version, reached.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_FALSE(reached.value);
  std::thread([&] { recorder_.held[record.version](); }).join();
  scheduler_.RunUntilIdle();
  EXPECT_TRUE(reached.is_ok());
}

TEST_F(SubscriberTest, WhoLeavesIsNotWaitedFor) {
  Start();
  recorder_.holds = true;
  feed_.Subscribe(recorder_);
  const auto record = AddKey();
  Reached reached;
  feed_.Barrier(record.version, reached.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_FALSE(reached.value);
  feed_.Unsubscribe(recorder_);
  scheduler_.RunUntilIdle();
  EXPECT_TRUE(reached.is_ok());
  recorder_.held[record.version]();
  scheduler_.RunUntilIdle();
  AddKey();
  scheduler_.Advance(Millis(200));
  EXPECT_EQ(recorder_.told.size(), 1u) << "it is told nothing any more";
}

TEST_F(SubscriberTest, MayLeaveWithinItsOwnCall) {
  Start();
  Recorder other(index_);
  recorder_.on_change = [&] { feed_.Unsubscribe(other); };
  feed_.Subscribe(recorder_);
  feed_.Subscribe(other);
  Reached reached;
  feed_.Barrier(AddKey().version, reached.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_TRUE(reached.is_ok());
  EXPECT_TRUE(other.told.empty());
}

TEST_F(SubscriberTest, MayStopTheFeedWithinItsOwnCall) {
  Start();
  recorder_.on_change = [&] { feed_.Stop(); };
  feed_.Subscribe(recorder_);
  AddKey();
  Reached reached;
  feed_.Barrier(AddKey().version, reached.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_EQ(reached.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(recorder_.told.size(), 1u);
}

TEST_F(SubscriberTest, AnAcknowledgementAfterStopIsHarmless) {
  Start();
  recorder_.holds = true;
  feed_.Subscribe(recorder_);
  const auto record = AddKey();
  scheduler_.Advance(Millis(200));
  feed_.Stop();
  recorder_.held.at(record.version)();
  scheduler_.RunUntilIdle();
  EXPECT_FALSE(feed_.is_current());
}

// Blocks in its call until it is told to go on.
class Blocker final : public Subscriber {
 public:
  void OnChange(const store::Change&, const key::Record*, Applied applied) override {
    entered.set_value();
    go_on.get_future().wait();
    applied();
    has_left = true;
  }
  std::promise<void> entered;
  std::promise<void> go_on;
  std::atomic<bool> has_left{false};
};

TEST(SubscriberThreads, UnsubscribeWaitsForACallThatIsUnderWay) {
  store::testing::Driver driver;
  auto store = store::memory::Create(driver.clock(), driver.random());
  NullLog log;
  auto metrics = Metrics::Create();
  index::Index index("p402");
  TaskThread thread("feed", driver.clock());
  Feed feed(*store, index, thread, driver.clock(), log, *metrics);
  const auto account = *driver.AddAccount(*store);
  ASSERT_TRUE(Await<Status>(driver.executor(), [&](auto done) { feed.Start(std::move(done)); }));
  Blocker blocker;
  feed.Subscribe(blocker);
  const auto record = *driver.AddKey(*store, account);
  feed.Barrier(record.version, Callback<Result<BarrierReport>>(driver.executor(), [](auto) {}));
  blocker.entered.get_future().wait();
  std::promise<void> leaving;
  std::thread leave([&] {
    leaving.set_value();
    feed.Unsubscribe(blocker);
    EXPECT_TRUE(blocker.has_left);
  });
  leaving.get_future().wait();
  blocker.go_on.set_value();
  leave.join();
  feed.Stop();
}

}  // namespace
}  // namespace p402::feed
