#include "bench/load/schedule.h"

namespace p402::bench {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

}  // namespace

Schedule::Schedule(int64_t start, int64_t end, int64_t per_second)
    : start_(start), end_(end), per_second_(per_second) {}

// From the number, not from the time before it: errors of rounding do not add up.
int64_t Schedule::TimeOf(int64_t number) const {
  const int64_t whole = number / per_second_;
  const int64_t rest = number % per_second_;
  return start_ + whole * kSecond + rest * kSecond / per_second_;
}

std::optional<int64_t> Schedule::NextAt() const {
  const int64_t at = TimeOf(next_);
  return at < end_ ? std::optional(at) : std::nullopt;
}

std::optional<int64_t> Schedule::Take(int64_t now) {
  const auto at = NextAt();
  if (!at || *at > now) return std::nullopt;
  ++next_;
  return at;
}

}  // namespace p402::bench
