#include "index/readers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace p402::index {
namespace {

// Both with and without a system that has membarrier.
class LimboTest : public ::testing::TestWithParam<Readers::Barrier> {
 protected:
  // Adds something; returns whether it was freed.
  std::shared_ptr<bool> Add() {
    auto is_freed = std::make_shared<bool>(false);
    limbo_.Add([is_freed] { *is_freed = true; });
    return is_freed;
  }
  Readers readers_{GetParam()};
  Limbo limbo_{readers_};
};

TEST_P(LimboTest, FreesAtOnceWithoutReaders) {
  const auto is_freed = Add();
  EXPECT_FALSE(*is_freed);
  limbo_.Poll();
  EXPECT_TRUE(*is_freed);
}

TEST_P(LimboTest, WaitsForTheReadersThatWereThere) {
  std::optional<Readers::Pin> pin = readers_.Enter();
  const auto is_freed = Add();
  for (int i = 0; i < 10; ++i) limbo_.Poll();
  EXPECT_FALSE(*is_freed);
  pin.reset();
  limbo_.Poll();
  EXPECT_TRUE(*is_freed);
}

TEST_P(LimboTest, DoesNotWaitForReadersThatCameAfterIt) {
  std::optional<Readers::Pin> old = readers_.Enter();
  const auto is_freed = Add();
  limbo_.Poll();
  const auto late = readers_.Enter();
  old.reset();
  limbo_.Poll();
  EXPECT_TRUE(*is_freed);
  const auto later = Add();
  for (int i = 0; i < 10; ++i) limbo_.Poll();
  EXPECT_FALSE(*later) << "for this one it is an old reader";
}

// Whichever parity a reader came with, after any number of turns.
TEST_P(LimboTest, WaitsAfterAnyNumberOfTurns) {
  for (int turns = 0; turns < 6; ++turns) {
    std::optional<Readers::Pin> pin = readers_.Enter();
    const auto is_freed = Add();
    for (int i = 0; i <= turns; ++i) limbo_.Poll();
    EXPECT_FALSE(*is_freed) << turns;
    pin.reset();
    limbo_.Drain();
    EXPECT_TRUE(*is_freed) << turns;
  }
}

TEST_P(LimboTest, WhatIsAddedDuringAGracePeriodWaitsForTheNext) {
  std::optional<Readers::Pin> first = readers_.Enter();
  const auto early = Add();
  limbo_.Poll();
  std::optional<Readers::Pin> second = readers_.Enter();
  const auto late = Add();
  first.reset();
  limbo_.Poll();
  EXPECT_TRUE(*early);
  limbo_.Poll();
  EXPECT_FALSE(*late);
  second.reset();
  limbo_.Poll();
  EXPECT_TRUE(*late);
}

TEST_P(LimboTest, APinMovesAndLeavesOnce) {
  Readers::Pin pin = readers_.Enter();
  Readers::Pin moved = std::move(pin);
  Readers::Pin other = readers_.Enter();
  other = std::move(moved);
  const auto is_freed = Add();
  limbo_.Poll();
  EXPECT_FALSE(*is_freed);
  std::thread([&other] { const Readers::Pin ended = std::move(other); }).join();
  moved = Readers::Pin();
  limbo_.Drain();
  EXPECT_TRUE(*is_freed);
}

// Entered by one thread and left by another, in other stripes: neither count is missed.
TEST_P(LimboTest, APinThatManyThreadsPassOnHoldsOffUntilTheLast) {
  constexpr int kThreads = 2 * kStripes;  // more than have a stripe for themselves
  std::vector<Readers::Pin> pins(kThreads);
  for (auto& pin : pins) std::thread([&] { pin = readers_.Enter(); }).join();
  const auto is_freed = Add();
  while (!pins.empty()) {
    limbo_.Poll();
    EXPECT_FALSE(*is_freed) << pins.size();
    std::thread([&] { pins.pop_back(); }).join();
  }
  limbo_.Drain();
  EXPECT_TRUE(*is_freed);
}

// Readers look at a number that the writer replaces and, when it may, spoils.
TEST_P(LimboTest, NobodySeesWhatWasFreed) {
  struct Box {
    int value = 1;
  };
  std::atomic<Box*> shown{new Box};
  std::atomic<bool> is_over{false};
  std::atomic<int> spoiled{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!is_over) {
        const auto pin = readers_.Enter();
        const Box* box = shown.load();
        spoiled += box->value != 1;
      }
    });
  }
  for (int i = 0; i < 20'000; ++i) {
    Box* old = shown.exchange(new Box);
    limbo_.Add([old] {
      old->value = 0;
      delete old;
    });
    limbo_.Poll();
  }
  is_over = true;
  for (auto& thread : threads) thread.join();
  limbo_.Drain();
  delete shown.load();
  EXPECT_EQ(spoiled, 0);
}

std::vector<Readers::Barrier> Possible() {
  std::vector<Readers::Barrier> possible = {Readers::Barrier::kOfEach};
  if (Readers::Best() == Readers::Barrier::kOfTheWriter) possible.push_back(Readers::Best());
  return possible;
}
INSTANTIATE_TEST_SUITE_P(Barriers, LimboTest, ::testing::ValuesIn(Possible()));

}  // namespace
}  // namespace p402::index
