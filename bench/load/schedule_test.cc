#include "bench/load/schedule.h"

#include <gtest/gtest.h>

#include "bench/load/histogram.h"

namespace p402::bench {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1000 * kMs;

TEST(Schedule, BeginsAtTheStart) {
  Schedule schedule(5 * kSecond, 6 * kSecond, 10);
  EXPECT_EQ(schedule.NextAt(), 5 * kSecond);
  EXPECT_EQ(schedule.Take(5 * kSecond - 1), std::nullopt);
  EXPECT_EQ(schedule.Take(5 * kSecond), 5 * kSecond);
  EXPECT_EQ(schedule.NextAt(), 5 * kSecond + 100 * kMs);
  EXPECT_EQ(schedule.Take(5 * kSecond), std::nullopt);
}

TEST(Schedule, SendsAsManyAsTheRateSays) {
  for (const int64_t rate : {1, 3, 7, 997, 30'000, 123'457}) {
    Schedule schedule(0, 3 * kSecond, rate);
    int64_t sent = 0;
    int64_t before = -1;
    while (const auto at = schedule.Take(3 * kSecond)) {
      EXPECT_GT(*at, before);
      before = *at;
      ++sent;
    }
    EXPECT_EQ(sent, 3 * rate);
    EXPECT_EQ(schedule.NextAt(), std::nullopt);
  }
}

// 7 does not divide a second; a sum of rounded intervals would be off by then.
TEST(Schedule, DoesNotDrift) {
  Schedule schedule(0, INT64_MAX, 7);
  for (int64_t i = 0; i < 7 * 86'400; ++i) EXPECT_TRUE(schedule.Take(INT64_MAX / 2));
  EXPECT_EQ(schedule.NextAt(), 86'400 * kSecond);
}

// The server stands still for one second of two. A load program that waits for it and measures from
// the moment of sending sees one slow request in a thousand; half of the users saw a slow one.
TEST(Schedule, CountsTheWaitingOfEverybody) {
  Schedule schedule(0, 2 * kSecond, 1000);
  Histogram latency;
  for (int64_t now = 0; now < 2 * kSecond; now += kMs) {
    if (now < kSecond) continue;  // the first second, nothing can be sent
    while (const auto intended = schedule.Take(now)) latency.Add(now - *intended);
  }
  EXPECT_EQ(latency.count(), 2000u);
  EXPECT_EQ(latency.max(), kSecond);
  EXPECT_GE(latency.Quantile(0.75), kSecond / 2 - kMs);
  EXPECT_LE(latency.Quantile(0.75), kSecond / 2 + 10 * kMs);
  EXPECT_EQ(latency.Quantile(0.25), 0);
}

}  // namespace
}  // namespace p402::bench
