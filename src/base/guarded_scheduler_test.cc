#include "base/guarded_scheduler.h"

#include <gtest/gtest.h>

#include <future>

namespace p402 {
namespace {

TEST(GuardedScheduler, L1_RunsTasksUntilItIsClosed) {
  const RealClock clock;
  int runs = 0;
  {
    GuardedScheduler scheduler("test", clock);
    std::promise<void> first;
    scheduler.Post([&] {
      ++runs;
      // Posting from a task must not deadlock with Close.
      scheduler.PostAfter(Millis(1), [&] {
        ++runs;
        first.set_value();
      });
    });
    first.get_future().wait();
    scheduler.Close();
    scheduler.Post([&] { ++runs; });
  }
  EXPECT_EQ(runs, 2);
}

TEST(GuardedScheduler, L1_CloseWaitsForTheRunningTask) {
  const RealClock clock;
  GuardedScheduler scheduler("test", clock);
  std::promise<void> started;
  std::promise<void> may_end;
  std::atomic<bool> has_ended = false;
  scheduler.Post([&] {
    started.set_value();
    may_end.get_future().wait();
    has_ended = true;
  });
  started.get_future().wait();
  auto closed = std::async(std::launch::async, [&] {
    scheduler.Close();
    return has_ended.load();
  });
  EXPECT_EQ(closed.wait_for(Millis(20)), std::future_status::timeout);
  may_end.set_value();
  EXPECT_TRUE(closed.get());
}

}  // namespace
}  // namespace p402
