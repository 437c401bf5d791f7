#include "base/clock.h"

#include <gtest/gtest.h>

namespace p402 {
namespace {

WallTime At(int64_t ms) {
  return WallTime(Millis(ms));
}

TEST(Rfc3339, A6_WritesUtcWithWholeSeconds) {
  EXPECT_EQ(FormatRfc3339(At(1'776'254'400'999)), "2026-04-15T12:00:00Z");
  EXPECT_EQ(FormatRfc3339(At(0)), "1970-01-01T00:00:00Z");
}

TEST(Rfc3339, ReadsOffsetsAndFractions) {
  EXPECT_EQ(ParseRfc3339("2026-04-15T12:00:00Z"), At(1'776'254'400'000));
  EXPECT_EQ(ParseRfc3339("2026-04-15t12:00:00z"), At(1'776'254'400'000));
  EXPECT_EQ(ParseRfc3339("2026-04-15T14:00:00+02:00"), At(1'776'254'400'000));
  EXPECT_EQ(ParseRfc3339("2026-04-15T06:30:00-05:30"), At(1'776'254'400'000));
  EXPECT_EQ(ParseRfc3339("2026-04-15T12:00:00.1239Z"), At(1'776'254'400'123));
  EXPECT_EQ(ParseRfc3339("2024-02-29T00:00:00Z"), At(1'709'164'800'000));
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (const char* text :
       {"", "2026-04-15", "2026-04-15T12:00:00", "2026-04-15 12:00:00Z", "2026-04-15T12:00:00.Z",
        "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-04-31T00:00:00Z", "2026-04-15T24:00:00Z", "2026-04-15T12:60:00Z",
        "2026-04-15T12:00:60Z", "2026-04-15T12:00:00+24:00", "2026-04-15T12:00:00+02",
        "2026-04-15T12:00:00Z ", "+026-04-15T12:00:00Z", "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-00:01", "1776254400"}) {
    EXPECT_FALSE(ParseRfc3339(text)) << text;
  }
}

TEST(Duration, ReadsOneNumberAndOneUnit) {
  EXPECT_EQ(*ParseDuration("0"), Millis(0));
  EXPECT_EQ(*ParseDuration("90s"), Millis(90'000));
  EXPECT_EQ(*ParseDuration("15m"), Millis(900'000));
  EXPECT_EQ(*ParseDuration("24h"), Millis(86'400'000));
  EXPECT_EQ(*ParseDuration("30d"), Millis(2'592'000'000));
  EXPECT_EQ(*ParseDuration("2w"), Millis(1'209'600'000));
}

TEST(Duration, EndsAt100Years) {
  EXPECT_TRUE(ParseDuration("36500d"));
  EXPECT_FALSE(ParseDuration("36501d"));
}

TEST(Duration, RefusesEverythingElse) {
  for (const char* text : {"", "h", "24", "-1h", "1.5h", "1h30m", "24 h", " 24h", "+1h", "-0s",
                           "1ms", "1y", "99999999999999999999s", "9223372036854775807w"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

TEST(RealClock, CountsMillisecondsSince1970AndNanosecondsSinceBoot) {
  const RealClock clock;
  EXPECT_GT(clock.Now(), At(1'700'000'000'000));
  const BootTime first = clock.Boot();
  EXPECT_GT(first.time_since_epoch().count(), 0);
  EXPECT_LE(first, clock.Boot());
}

}  // namespace
}  // namespace p402
