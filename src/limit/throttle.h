#pragma once

#include <memory>

#include "base/clock.h"
#include "key/cidr.h"

namespace p402::limit {

struct ThrottleOptions {
  double failures_per_second = 5;  // refill, per source
  double burst = 100;              // failures that are answered at once
  size_t max_sources = 65'536;     // the least recently failing one is forgotten first
};

// Slows sources of failed authentications (S4): a token bucket per source, IPv4 by address, IPv6 by
// /64. Only failures spend tokens, and a valid credential is never asked about: see api.
// Threads: safe to call concurrently.
class Throttle {
 public:
  // Requires: a refill above 0, a burst of at least 1, and at least one source.
  explicit Throttle(ThrottleOptions options);
  ~Throttle();
  // A failed authentication from `source`. Returns zero if it may be answered as what it is, else
  // how long to wait (answered 429 with Retry-After, rounded up to seconds).
  Millis OnFailure(const key::IpAddress& source, BootTime now);
  size_t sources() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace p402::limit
