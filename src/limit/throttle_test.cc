#include "limit/throttle.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace p402::limit {
namespace {

constexpr BootTime kStart{std::chrono::hours(1)};

key::IpAddress Ip(const std::string& text) {
  return *key::IpAddress::Parse(text);
}

TEST(Throttle, S4_AnswersTheBurstThenAsksToWait) {
  Throttle throttle({.failures_per_second = 2, .burst = 3});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(throttle.OnFailure(Ip("192.0.2.1"), kStart), Millis(0));
  EXPECT_EQ(throttle.OnFailure(Ip("192.0.2.1"), kStart), Millis(500));
}

TEST(Throttle, S4_RefillsWithTimeUpToTheBurst) {
  Throttle throttle({.failures_per_second = 2, .burst = 3});
  for (int i = 0; i < 3; ++i) (void)throttle.OnFailure(Ip("192.0.2.1"), kStart);
  EXPECT_GT(throttle.OnFailure(Ip("192.0.2.1"), kStart + Millis(499)), Millis(0));
  EXPECT_EQ(throttle.OnFailure(Ip("192.0.2.1"), kStart + Millis(501)), Millis(0));
  const BootTime later = kStart + std::chrono::hours(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(throttle.OnFailure(Ip("192.0.2.1"), later), Millis(0));
  EXPECT_GT(throttle.OnFailure(Ip("192.0.2.1"), later), Millis(0));
}

TEST(Throttle, S4_SourcesAreAddressesAndForIpv6Networks) {
  Throttle throttle({.failures_per_second = 1, .burst = 1});
  EXPECT_EQ(throttle.OnFailure(Ip("192.0.2.1"), kStart), Millis(0));
  EXPECT_EQ(throttle.OnFailure(Ip("192.0.2.2"), kStart), Millis(0));
  EXPECT_EQ(throttle.OnFailure(Ip("2001:db8::1"), kStart), Millis(0));
  EXPECT_GT(throttle.OnFailure(Ip("2001:db8::ffff"), kStart), Millis(0));
  EXPECT_EQ(throttle.OnFailure(Ip("2001:db8:0:1::1"), kStart), Millis(0));
}

TEST(Throttle, ForgetsTheLeastRecentlyFailingSource) {
  Throttle throttle({.failures_per_second = 0.001, .burst = 1, .max_sources = 2});
  EXPECT_EQ(throttle.OnFailure(Ip("192.0.2.1"), kStart), Millis(0));
  EXPECT_EQ(throttle.OnFailure(Ip("192.0.2.2"), kStart), Millis(0));
  EXPECT_GT(throttle.OnFailure(Ip("192.0.2.1"), kStart), Millis(0));
  EXPECT_EQ(throttle.OnFailure(Ip("192.0.2.3"), kStart), Millis(0));  // forgets .2
  EXPECT_EQ(throttle.sources(), 2u);
  EXPECT_GT(throttle.OnFailure(Ip("192.0.2.1"), kStart), Millis(0));
  EXPECT_EQ(throttle.OnFailure(Ip("192.0.2.2"), kStart), Millis(0));
}

TEST(Throttle, S4_AMappedAddressIsItsIpv4Address) {
  Throttle throttle({.failures_per_second = 1, .burst = 1});
  EXPECT_EQ(throttle.OnFailure(Ip("192.0.2.1"), kStart), Millis(0));
  EXPECT_EQ(throttle.OnFailure(Ip("::ffff:192.0.2.1"), kStart), Millis(1000));
  EXPECT_EQ(throttle.sources(), 1u);
}

// A thread that read the clock before it waited must not make the next one refill twice.
TEST(Throttle, AnEarlierTimeRefillsNothing) {
  Throttle throttle({.failures_per_second = 1, .burst = 1});
  EXPECT_EQ(throttle.OnFailure(Ip("192.0.2.1"), kStart), Millis(0));
  EXPECT_EQ(throttle.OnFailure(Ip("192.0.2.1"), kStart - Millis(5000)), Millis(1000));
  EXPECT_EQ(throttle.OnFailure(Ip("192.0.2.1"), kStart), Millis(1000));
}

TEST(Throttle, WaitingIsNotPunished) {
  Throttle throttle({.failures_per_second = 1, .burst = 1});
  (void)throttle.OnFailure(Ip("192.0.2.1"), kStart);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(throttle.OnFailure(Ip("192.0.2.1"), kStart), Millis(1000));
  }
  EXPECT_EQ(throttle.OnFailure(Ip("192.0.2.1"), kStart + Millis(1000)), Millis(0));
}

TEST(Throttle, HoldsAtMostItsSources) {
  Throttle throttle({.failures_per_second = 1, .burst = 1, .max_sources = 100});
  for (int i = 0; i < 100; ++i) (void)throttle.OnFailure(Ip("10.0.0." + std::to_string(i)), kStart);
  EXPECT_EQ(throttle.sources(), 100u);
  (void)throttle.OnFailure(Ip("10.0.1.0"), kStart);
  EXPECT_EQ(throttle.sources(), 100u);
}

TEST(ThrottleDeathTest, OptionsThatWaitForeverAreADefect) {
  EXPECT_DEATH(Throttle({.failures_per_second = 0}), "CHECK failed");
  EXPECT_DEATH(Throttle({.burst = 0.5}), "CHECK failed");
  EXPECT_DEATH(Throttle({.max_sources = 0}), "CHECK failed");
}

TEST(Throttle, CountsFromManyThreads) {
  Throttle throttle({.failures_per_second = 0.001, .burst = 500});
  std::atomic<int> answered = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 250; ++n) {
          if (throttle.OnFailure(Ip("192.0.2.1"), kStart) == Millis(0)) ++answered;
          if (throttle.OnFailure(Ip("192.0.2.1"), kStart) == Millis(0)) ++answered;
        }
      });
    }
  }
  EXPECT_EQ(answered, 500);
}

}  // namespace
}  // namespace p402::limit
