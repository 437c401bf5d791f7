#include "limit/throttle.h"

#include <algorithm>
#include <list>
#include <map>
#include <mutex>

#include "base/check.h"

namespace p402::limit {
namespace {

// IPv6 by /64: one customer usually has at least that many addresses.
key::IpAddress SourceOf(const key::IpAddress& address) {
  key::IpAddress source = address;
  if (!source.is_v4()) std::fill(source.bytes.begin() + 8, source.bytes.end(), uint8_t{0});
  return source;
}

}  // namespace

struct Throttle::Impl {
  explicit Impl(ThrottleOptions a_options) : options(a_options) {}

  struct Bucket {
    key::IpAddress source;
    double tokens;
    BootTime filled_at;
  };
  // Moves the source's bucket to the front, making it if needed; the last one is forgotten when
  // there are too many.
  Bucket& Touch(const key::IpAddress& source, BootTime now) {
    if (const auto found = by_source.find(source); found != by_source.end()) {
      buckets.splice(buckets.begin(), buckets, found->second);
      return buckets.front();
    }
    if (buckets.size() >= options.max_sources) {
      by_source.erase(buckets.back().source);
      buckets.pop_back();
    }
    buckets.push_front({.source = source, .tokens = options.burst, .filled_at = now});
    by_source[source] = buckets.begin();
    return buckets.front();
  }

  const ThrottleOptions options;
  std::mutex mutex;
  std::list<Bucket> buckets;  // the most recently failing first
  std::map<key::IpAddress, std::list<Bucket>::iterator> by_source;
};

Throttle::Throttle(ThrottleOptions options) : impl_(new Impl(options)) {
  P402_CHECK(options.failures_per_second > 0 && options.burst >= 1 && options.max_sources > 0);
}
Throttle::~Throttle() = default;

Millis Throttle::OnFailure(const key::IpAddress& source, BootTime now) {
  std::lock_guard lock(impl_->mutex);
  Impl::Bucket& bucket = impl_->Touch(SourceOf(source), now);
  // Threads read the clock before they wait for the lock: `now` may be before the last one's.
  const BootTime filled_at = std::max(now, bucket.filled_at);
  const double elapsed = std::chrono::duration<double>(filled_at - bucket.filled_at).count();
  bucket.filled_at = filled_at;
  bucket.tokens =
      std::min(impl_->options.burst, bucket.tokens + elapsed * impl_->options.failures_per_second);
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return Millis(0);
  }
  const double wait = (1 - bucket.tokens) / impl_->options.failures_per_second;
  return std::chrono::ceil<Millis>(std::chrono::duration<double>(wait));
}

size_t Throttle::sources() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->buckets.size();
}

}  // namespace p402::limit
