#include "base/executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "base/testing/fakes.h"

namespace p402 {
namespace {

TEST(TaskThread, RunsTasksInOrderOnOneThread) {
  const RealClock clock;
  std::vector<int> ran;
  std::set<std::thread::id> threads;
  {
    TaskThread thread("test", clock);
    for (int i = 0; i < 100; ++i) {
      thread.Post([&, i] {
        ran.push_back(i);
        threads.insert(std::this_thread::get_id());
      });
    }
  }
  ASSERT_EQ(ran.size(), 100u);
  EXPECT_TRUE(std::is_sorted(ran.begin(), ran.end()));
  EXPECT_EQ(threads.size(), 1u);
  EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
}

TEST(TaskThread, RunsATaskThatATaskPosts) {
  const RealClock clock;
  std::promise<void> done;
  TaskThread thread("test", clock);
  thread.Post([&] { thread.Post([&] { done.set_value(); }); });
  done.get_future().wait();
}

TEST(TaskThread, RunsDelayedTasksInTheOrderOfTheirTimes) {
  const RealClock clock;
  std::vector<int> ran;
  std::promise<void> done;
  TaskThread thread("test", clock);
  const BootTime began = clock.Boot();
  thread.PostAfter(Millis(30), [&] {
    ran.push_back(2);
    done.set_value();
  });
  thread.PostAfter(Millis(10), [&] { ran.push_back(1); });
  done.get_future().wait();
  EXPECT_EQ(ran, (std::vector{1, 2}));
  EXPECT_GE(clock.Boot() - began, Millis(30));
}

TEST(TaskThread, DropsDelayedTasksAtTheEnd) {
  const RealClock clock;
  auto held = std::make_shared<int>(1);
  bool has_run = false;
  {
    TaskThread thread("test", clock);
    thread.PostAfter(std::chrono::hours(1), [held, &has_run] { has_run = true; });
  }
  EXPECT_FALSE(has_run);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Callback, RunsOnItsExecutorAndNotBefore) {
  testing::FakeClock clock;
  testing::ManualScheduler scheduler(clock);
  int got = 0;
  Callback<int> callback(scheduler, [&](int value) { got = value; });
  std::move(callback)(7);
  EXPECT_EQ(got, 0);
  EXPECT_EQ(scheduler.RunUntilIdle(), 1u);
  EXPECT_EQ(got, 7);
}

TEST(ManualScheduler, MovesTheClockToEachDelayedTask) {
  testing::FakeClock clock;
  testing::ManualScheduler scheduler(clock);
  const BootTime began = clock.Boot();
  std::vector<Millis> ran;
  const auto note = [&] { ran.push_back(std::chrono::floor<Millis>(clock.Boot() - began)); };
  scheduler.PostAfter(Millis(20), note);
  scheduler.PostAfter(Millis(10), [&] {
    note();
    scheduler.PostAfter(Millis(5), note);
  });
  scheduler.PostAfter(Millis(31), note);
  scheduler.Advance(Millis(30));
  EXPECT_EQ(ran, (std::vector{Millis(10), Millis(15), Millis(20)}));
  EXPECT_EQ(clock.Boot() - began, Millis(30));
}

}  // namespace
}  // namespace p402
