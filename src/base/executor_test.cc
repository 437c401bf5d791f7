#include "base/executor.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <future>
#include <thread>
#include <vector>

#include "base/testing/fakes.h"

namespace p402 {
namespace {

TEST(TaskThread, RunsTasksInOrderOnOneThreadOfItsName) {
  const RealClock clock;
  std::vector<int> order;
  std::thread::id thread;
  char name[16] = {};
  {
    TaskThread tasks("a-name-that-is-too-long", clock);
    tasks.Post([&] {
      thread = std::this_thread::get_id();
      pthread_getname_np(pthread_self(), name, sizeof(name));
    });
    for (int i = 0; i < 100; ++i) {
      tasks.Post([&, i] {
        EXPECT_EQ(std::this_thread::get_id(), thread);
        order.push_back(i);
      });
    }
  }
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
  EXPECT_NE(thread, std::this_thread::get_id());
  EXPECT_STREQ(name, "a-name-that-is-");
}

TEST(TaskThread, NeverRunsATaskBeforePostReturns) {
  const RealClock clock;
  TaskThread tasks("test", clock);
  std::promise<bool> seen;
  tasks.Post([&] {
    auto has_returned = std::make_shared<bool>(false);
    tasks.Post([&seen, has_returned] { seen.set_value(*has_returned); });
    *has_returned = true;
  });
  EXPECT_TRUE(seen.get_future().get());
}

TEST(TaskThread, RunsDelayedTasksInTheOrderOfTheirTimes) {
  const RealClock clock;
  TaskThread tasks("test", clock);
  std::vector<int> order;
  std::promise<BootTime> last;
  const BootTime start = clock.Boot();
  tasks.PostAfter(Millis(20), [&] {
    order.push_back(2);
    last.set_value(clock.Boot());
  });
  tasks.PostAfter(Millis(5), [&] { order.push_back(1); });
  tasks.Post([&] { order.push_back(0); });
  EXPECT_GE(last.get_future().get() - start, Millis(20));
  EXPECT_EQ(order, (std::vector{0, 1, 2}));
}

TEST(TaskThread, DropsWaitingTasksAtTheEndButRunsPostedOnes) {
  const RealClock clock;
  bool has_posted_run = false;
  bool has_later_run = false;
  const auto held = std::make_shared<int>(0);
  {
    TaskThread tasks("test", clock);
    tasks.PostAfter(std::chrono::hours(1), [&, held] { has_later_run = true; });
    tasks.Post([&] { tasks.Post([&] { has_posted_run = true; }); });
  }
  EXPECT_TRUE(has_posted_run);
  EXPECT_FALSE(has_later_run);
  EXPECT_EQ(held.use_count(), 1);
}

// What a dropped task holds may post once more: not under the thread's own lock.
TEST(TaskThread, ADroppedTaskMayPostWhenItIsDestroyed) {
  const RealClock clock;
  bool has_run = false;
  {
    TaskThread tasks("test", clock);
    auto posts_at_end = std::shared_ptr<int>(new int(0), [&](const int* number) {
      delete number;
      tasks.Post([&] { has_run = true; });
    });
    tasks.PostAfter(std::chrono::hours(1), [posts_at_end] { (void)posts_at_end; });
  }
  EXPECT_TRUE(has_run);
}

TEST(TaskThread, TakesTasksFromManyThreads) {
  const RealClock clock;
  int count = 0;  // only the thread's own tasks touch it
  {
    TaskThread tasks("test", clock);
    std::vector<std::jthread> posters;
    for (int i = 0; i < 4; ++i) {
      posters.emplace_back([&] {
        for (int n = 0; n < 1000; ++n) tasks.Post([&] { ++count; });
      });
    }
    posters.clear();
  }
  EXPECT_EQ(count, 4000);
}

TEST(Callback, RunsOnItsExecutorAndNotBefore) {
  testing::FakeClock clock;
  testing::ManualScheduler scheduler(clock);
  std::unique_ptr<int> got;
  Callback<std::unique_ptr<int>> done(scheduler,
                                      [&](std::unique_ptr<int> value) { got = std::move(value); });
  EXPECT_EQ(&done.executor(), &scheduler);
  std::move(done)(std::make_unique<int>(7));
  EXPECT_EQ(got, nullptr);
  EXPECT_EQ(scheduler.RunUntilIdle(), 1u);
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(*got, 7);
}

}  // namespace
}  // namespace p402
