#include "base/clock.h"

#include <fmt/format.h>
#include <time.h>

#include <array>
#include <charconv>

namespace p402 {
namespace {

int64_t ReadClock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Reads exactly `count` digits at the front of `text` and removes them.
bool TakeDigits(std::string_view& text, size_t count, int& value) {
  if (text.size() < count) return false;
  value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool TakeCharacter(std::string_view& text, std::string_view allowed) {
  if (text.empty() || allowed.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// ".123456": cut to ms. An absent fraction is 0.
bool TakeFraction(std::string_view& text, int& ms) {
  ms = 0;
  if (text.empty() || text.front() != '.') return true;
  text.remove_prefix(1);
  int scale = 100;
  size_t digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    ms += (text.front() - '0') * scale;
    scale /= 10;
    text.remove_prefix(1);
    ++digits;
  }
  return digits > 0;
}

// "Z" or "+01:30", as minutes east of UTC.
bool TakeOffset(std::string_view& text, int& minutes) {
  minutes = 0;
  if (TakeCharacter(text, "Zz")) return true;
  if (text.empty()) return false;
  const int sign = text.front() == '-' ? -1 : 1;
  int hours = 0;
  int rest = 0;
  if (!TakeCharacter(text, "+-") || !TakeDigits(text, 2, hours) || !TakeCharacter(text, ":") ||
      !TakeDigits(text, 2, rest) || hours > 23 || rest > 59) {
    return false;
  }
  minutes = sign * (hours * 60 + rest);
  return true;
}

// 0 for a character that is no unit.
int64_t SecondsOfUnit(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86'400;
    case 'w':
      return 604'800;
    default:
      return 0;
  }
}

}  // namespace

WallTime RealClock::Now() const {
  return WallTime(Millis(ReadClock(CLOCK_REALTIME) / 1'000'000));
}

BootTime RealClock::Boot() const {
  return BootTime(std::chrono::nanoseconds(ReadClock(CLOCK_BOOTTIME)));
}

std::string FormatRfc3339(WallTime time) {
  std::array<char, kRfc3339Bound> room;
  Pen pen(room);
  WriteRfc3339(pen, time);
  return {room.data(), pen.size()};
}

void WriteRfc3339(Pen& pen, WallTime time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - days));
  std::array<char, kRfc3339Bound> text;
  const auto [end, size] =
      fmt::format_to_n(text.data(), text.size(), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                       int(date.year()), unsigned(date.month()), unsigned(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  pen.Text({text.data(), size});
}

std::optional<WallTime> ParseRfc3339(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0, offset = 0;
  const bool is_well_formed =
      TakeDigits(text, 4, year) && TakeCharacter(text, "-") && TakeDigits(text, 2, month) &&
      TakeCharacter(text, "-") && TakeDigits(text, 2, day) && TakeCharacter(text, "Tt") &&
      TakeDigits(text, 2, hour) && TakeCharacter(text, ":") && TakeDigits(text, 2, minute) &&
      TakeCharacter(text, ":") && TakeDigits(text, 2, second) && TakeFraction(text, ms) &&
      TakeOffset(text, offset) && text.empty();
  if (!is_well_formed || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok()) return std::nullopt;
  const WallTime time = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                        std::chrono::minutes(minute - offset) + std::chrono::seconds(second) +
                        Millis(ms);
  constexpr WallTime kEnd = std::chrono::sys_days(std::chrono::year(10000) / 1 / 1);
  if (time < WallTime{} || time >= kEnd) return std::nullopt;
  return time;
}

Result<Millis> ParseDuration(std::string_view text) {
  if (text == "0") return Millis(0);
  constexpr int64_t kMaxSeconds = int64_t{100} * 365 * 86'400;
  const int64_t seconds = text.empty() ? 0 : SecondsOfUnit(text.back());
  if (!text.empty()) text.remove_suffix(1);
  int64_t count = 0;
  const char* const text_end = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), text_end, count);
  const bool is_number = error == std::errc() && end == text_end && !text.starts_with('-');
  if (seconds == 0 || !is_number || count > kMaxSeconds / seconds) {
    return InvalidArgument("",
                           "must be a whole number with one of the units s, m, h, d, w (such as "
                           "24h), or 0, and at most 100 years");
  }
  return Millis(std::chrono::seconds(count * seconds));
}

}  // namespace p402
