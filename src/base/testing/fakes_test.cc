#include "base/testing/fakes.h"

#include <gtest/gtest.h>

namespace p402::testing {
namespace {

TEST(FakeClock, MovesOnlyWhenItIsTold) {
  FakeClock clock;
  const WallTime wall = clock.Now();
  const BootTime boot = clock.Boot();
  EXPECT_EQ(FormatRfc3339(wall), "2026-04-15T12:00:00Z");
  clock.Advance(Millis(5));
  EXPECT_EQ(clock.Now() - wall, Millis(5));
  EXPECT_EQ(clock.Boot() - boot, Millis(5));
  clock.StepWall(Millis(-100));
  EXPECT_EQ(clock.Now() - wall, Millis(-95));
  EXPECT_EQ(clock.Boot() - boot, Millis(5));
}

TEST(SeededRandom, RepeatsItselfForASeed) {
  SeededRandom a(7);
  SeededRandom b(7);
  SeededRandom c(8);
  const uint64_t first = a.Next64();
  EXPECT_EQ(first, b.Next64());
  EXPECT_NE(first, c.Next64());
  EXPECT_NE(first, a.Next64());
}

TEST(ManualScheduler, RunsWhatIsDueInTheOrderOfItsTime) {
  FakeClock clock;
  ManualScheduler scheduler(clock);
  std::vector<std::pair<int, BootTime>> ran;
  const BootTime start = clock.Boot();
  const auto note = [&](int id) {
    return [&ran, &clock, id] { ran.emplace_back(id, clock.Boot()); };
  };
  scheduler.PostAfter(Millis(20), note(3));
  scheduler.PostAfter(Millis(10), note(2));
  scheduler.Post(note(1));
  EXPECT_EQ(scheduler.RunUntilIdle(), 1u);
  scheduler.Advance(Millis(19));
  ASSERT_EQ(ran.size(), 2u);
  EXPECT_EQ(ran[1], std::pair(2, start + Millis(10)));
  scheduler.Advance(Millis(1));
  ASSERT_EQ(ran.size(), 3u);
  EXPECT_EQ(ran[2], std::pair(3, start + Millis(20)));
  EXPECT_EQ(clock.Boot(), start + Millis(20));
}

TEST(ManualScheduler, ADelayedTaskMayPostAnotherInBetween) {
  FakeClock clock;
  ManualScheduler scheduler(clock);
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

TEST(ManualScheduler, AdvanceRunsATaskThatPostsItselfAgain) {
  FakeClock clock;
  ManualScheduler scheduler(clock);
  int runs = 0;
  std::function<void()> tick = [&] {
    ++runs;
    scheduler.PostAfter(Millis(100), tick);
  };
  scheduler.Post(tick);
  scheduler.Advance(Millis(1000));
  EXPECT_EQ(runs, 11);
}

TEST(MemoryLog, KeepsEventsWithTheirFields) {
  MemoryLog log;
  log.Info("key.created", {{"id", "key_1"}, {"count", 3}, {"is_test", true}});
  EXPECT_EQ(log.Lines(), std::vector<std::string>{"key.created id=key_1 count=3 is_test=true"});
}

}  // namespace
}  // namespace p402::testing
