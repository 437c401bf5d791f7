#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/pen.h"
#include "base/result.h"

namespace p402 {

using Millis = std::chrono::milliseconds;

// Wall time in ms since the epoch, UTC. It may jump; nothing that concerns safety compares it
// between machines.
using WallTime = std::chrono::sys_time<Millis>;

// Time since boot, suspend included (CLOCK_BOOTTIME): it never goes backwards. For deadlines and
// leases.
struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};
using BootTime = BootClock::time_point;

// Where time comes from. Only app makes the real one.
// Threads: safe to call concurrently.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Now() const = 0;
  virtual BootTime Boot() const = 0;
};

class RealClock final : public Clock {
 public:
  WallTime Now() const override;
  BootTime Boot() const override;
};

// RFC 3339 in UTC with whole seconds, "2026-04-15T12:00:00Z"; milliseconds are cut off.
std::string FormatRfc3339(WallTime time);
// The same, into room of at most kRfc3339Bound bytes: 20 for a year of four digits.
void WriteRfc3339(Pen& pen, WallTime time);
inline constexpr size_t kRfc3339Bound = 32;

// Parses an RFC 3339 date-time (any offset, fraction cut to ms).
// Errors: nullopt for anything else, and for years outside 1970 to 9999.
std::optional<WallTime> ParseRfc3339(std::string_view text);

// Parses "90s", "15m", "24h", "30d", "2w" or "0" (a whole number and one unit).
// Errors: kInvalidArgument, `field` empty, for anything else and for more than 100 years.
Result<Millis> ParseDuration(std::string_view text);

}  // namespace p402
