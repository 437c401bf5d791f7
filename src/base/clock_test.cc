#include "base/clock.h"

#include <gtest/gtest.h>
#include <time.h>

#include "base/testing/fakes.h"

namespace p402 {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

WallTime At(int64_t ms) {
  return WallTime(Millis(ms));
}

std::optional<int64_t> ParsedMs(std::string_view text) {
  const auto time = ParseRfc3339(text);
  if (!time) return std::nullopt;
  return time->time_since_epoch().count();
}

TEST(Rfc3339, A6_IsUtcWithWholeSeconds) {
  EXPECT_EQ(FormatRfc3339(At(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatRfc3339(At(1'776'254'400'000)), "2026-04-15T12:00:00Z");
  EXPECT_EQ(FormatRfc3339(At(1'776'254'400'999)), "2026-04-15T12:00:00Z");
  EXPECT_EQ(FormatRfc3339(At(951'782'400'000)), "2000-02-29T00:00:00Z");
  EXPECT_EQ(FormatRfc3339(At(253'402'300'799'999)), "9999-12-31T23:59:59Z");
}

TEST(Rfc3339, ParsesOffsetsAndFractions) {
  EXPECT_EQ(ParsedMs("2026-04-15T12:00:00Z"), 1'776'254'400'000);
  EXPECT_EQ(ParsedMs("2026-04-15t12:00:00z"), 1'776'254'400'000);
  EXPECT_EQ(ParsedMs("2026-04-15T14:00:00+02:00"), 1'776'254'400'000);
  EXPECT_EQ(ParsedMs("2026-04-15T06:30:00-05:30"), 1'776'254'400'000);
  EXPECT_EQ(ParsedMs("2026-04-15T12:00:00-00:00"), 1'776'254'400'000);
  EXPECT_EQ(ParsedMs("2026-04-15T12:00:00.5Z"), 1'776'254'400'500);
  EXPECT_EQ(ParsedMs("2026-04-15T12:00:00.0019999999999Z"), 1'776'254'400'001);
  EXPECT_EQ(ParsedMs("2024-02-29T00:00:00Z"), 1'709'164'800'000);
}

TEST(Rfc3339, AcceptsTheYears1970To9999) {
  EXPECT_EQ(ParsedMs("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParsedMs("1970-01-01T00:59:59+01:00"), std::nullopt);
  EXPECT_EQ(ParsedMs("1969-12-31T23:59:59Z"), std::nullopt);
  EXPECT_EQ(ParsedMs("1969-12-31T23:00:00-01:00"), 0);
  EXPECT_EQ(ParsedMs("9999-12-31T23:59:59.999Z"), 253'402'300'799'999);
  EXPECT_EQ(ParsedMs("9999-12-31T23:59:59-00:01"), std::nullopt);
  EXPECT_EQ(ParsedMs("10000-01-01T00:00:00Z"), std::nullopt);
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (const char* text : {"",
                           "2026-04-15",
                           "2026-04-15T12:00:00",
                           "2026-04-15 12:00:00Z",
                           "2026-04-15T12:00Z",
                           "2026-4-15T12:00:00Z",
                           "26-04-15T12:00:00Z",
                           "2026-02-29T12:00:00Z",
                           "2026-13-01T12:00:00Z",
                           "2026-00-01T12:00:00Z",
                           "2026-04-31T12:00:00Z",
                           "2026-04-00T12:00:00Z",
                           "2026-04-15T24:00:00Z",
                           "2026-04-15T12:60:00Z",
                           "2026-04-15T23:59:60Z",
                           "2026-04-15T12:00:00.Z",
                           "2026-04-15T12:00:00,5Z",
                           "2026-04-15T12:00:00+2:00",
                           "2026-04-15T12:00:00+0200",
                           "2026-04-15T12:00:00+24:00",
                           "2026-04-15T12:00:00+02:60",
                           "2026-04-15T12:00:00Zx",
                           " 2026-04-15T12:00:00Z",
                           "2026-04-15T12:00:00Z ",
                           "2026-04-15T12:00:-1Z",
                           "+026-04-15T12:00:00Z",
                           "1776254400"}) {
    EXPECT_EQ(ParsedMs(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParsedMs(std::string_view("2026-04-15T12:00:00Z\0", 21)), std::nullopt);
}

TEST(Rfc3339, ParsesWhatItFormats) {
  testing::SeededRandom random;
  for (int i = 0; i < 5'000; ++i) {
    const auto second = static_cast<int64_t>(random.Next64() % 253'402'300'800);
    EXPECT_EQ(ParsedMs(FormatRfc3339(At(second * 1000))), second * 1000);
  }
}

TEST(Duration, ParsesAWholeNumberAndOneUnit) {
  EXPECT_EQ(ParseDuration("0").value(), Millis(0));
  EXPECT_EQ(ParseDuration("90s").value(), seconds(90));
  EXPECT_EQ(ParseDuration("15m").value(), minutes(15));
  EXPECT_EQ(ParseDuration("24h").value(), hours(24));
  EXPECT_EQ(ParseDuration("30d").value(), hours(30 * 24));
  EXPECT_EQ(ParseDuration("2w").value(), hours(14 * 24));
  EXPECT_EQ(ParseDuration("0s").value(), Millis(0));
}

TEST(Duration, RefusesEverythingElse) {
  for (const char* text : {"", "s", "1", "-1s", "-0s", "+1s", " 1s", "1s ", "1 s", "1.5h", "1h30m",
                           "1H", "1ms", "1y", "0x1s", "99999999999999999999s", "00"}) {
    const auto duration = ParseDuration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(duration.error().field, "");
    EXPECT_NE(duration.error().public_message, "");
  }
}

TEST(Duration, HasAtMost100Years) {
  EXPECT_EQ(ParseDuration("36500d").value(), hours(36'500 * 24));
  EXPECT_FALSE(ParseDuration("36501d"));
  EXPECT_EQ(ParseDuration("3153600000s").value(), hours(36'500 * 24));
  EXPECT_FALSE(ParseDuration("3153600001s"));
  EXPECT_FALSE(ParseDuration("5215w"));
  EXPECT_FALSE(ParseDuration("9223372036854775807w"));
}

TEST(RealClock, BootIsTheTimeSinceBootWithSuspend) {
  const RealClock clock;
  timespec before{};
  timespec after{};
  clock_gettime(CLOCK_BOOTTIME, &before);
  const BootTime now = clock.Boot();
  clock_gettime(CLOCK_BOOTTIME, &after);
  const auto since = [](const timespec& t) {
    return BootTime(seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
  };
  EXPECT_LE(since(before), now);
  EXPECT_LE(now, since(after));
}

TEST(RealClock, NowIsTheWallTime) {
  const auto before = std::chrono::floor<Millis>(std::chrono::system_clock::now());
  const WallTime now = RealClock().Now();
  EXPECT_LE(before, now);
  EXPECT_LE(now, std::chrono::system_clock::now());
}

}  // namespace
}  // namespace p402
