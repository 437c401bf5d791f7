#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/stripe.h"
#include "base/typeid.h"

namespace p402::api {

using RequestId = TypedId<"req">;

// Names requests: "req_" and a UUIDv7. A name tells requests apart, also those of other servers; it
// is no secret and may be guessed, so that it need not cost what randomness costs.
//
//   48 bits     4        12           2         5        57 bits
//   time in ms  version  0x000 … fff  variant   stripe   random start of this object + count
//
// The 12 bits are the count's lowest, so that names of one thread grow within a millisecond.
// Threads: safe to call concurrently; each thread counts on a cache line of its own.
class RequestIds {
 public:
  // `random_start`: random bits.
  explicit RequestIds(uint64_t random_start) : start_(random_start) {}
  // The name of one more request, which came at `now`.
  RequestId Next(WallTime now);

 private:
  struct alignas(64) Stripe {
    std::atomic<uint64_t> count{0};
  };
  const uint64_t start_;
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace p402::api
