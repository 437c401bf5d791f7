#pragma once

#include <cstdint>
#include <optional>

namespace p402::bench {

// When each request of a fixed rate is to be sent. The times are fixed before the first answer: if
// the server or the load program falls behind, what it should have sent meanwhile is still due,
// with the time at which it should have been sent. Latency that is measured from that time includes
// the waiting (no coordinated omission).
//
// Units: nanoseconds of any clock; requests per second.
class Schedule {
 public:
  // `per_second` is from 1 to 1'000'000'000. Sends nothing from `end` on.
  Schedule(int64_t start, int64_t end, int64_t per_second);

  // The intended time of the next request, if it is due at `now`; then the one after it is next.
  std::optional<int64_t> Take(int64_t now);
  // When the next request is due; nullopt: there is none.
  std::optional<int64_t> NextAt() const;

 private:
  int64_t TimeOf(int64_t number) const;

  int64_t start_;
  int64_t end_;
  int64_t per_second_;
  int64_t next_ = 0;
};

}  // namespace p402::bench
