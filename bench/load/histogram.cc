#include "bench/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace p402::bench {
namespace {

// Buckets below 256 hold one value each. From there on every power of two has 128 buckets, twice as
// wide as those of the power before:
//
//   bucket   0 … 255   256 … 383   384 … 511   …
//   width       1          2           4       …
constexpr int kPartBits = 7;
constexpr size_t kParts = size_t{1} << kPartBits;

}  // namespace

Histogram::Histogram() : buckets_(BucketOf(kMax) + 1) {}

size_t Histogram::BucketOf(int64_t duration) {
  const auto value = static_cast<uint64_t>(duration);
  const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - kPartBits - 1);
  return kParts * static_cast<size_t>(shift) + static_cast<size_t>(value >> shift);
}

int64_t Histogram::EndOf(size_t bucket) {
  if (bucket < 2 * kParts) return static_cast<int64_t>(bucket);
  const size_t shift = bucket / kParts - 1;
  return static_cast<int64_t>(((bucket - kParts * shift + 1) << shift) - 1);
}

void Histogram::Add(int64_t duration) {
  duration = std::clamp<int64_t>(duration, 0, kMax);
  ++buckets_[BucketOf(duration)];
  ++count_;
  max_ = std::max(max_, duration);
}

int64_t Histogram::Quantile(double part) const {
  if (count_ == 0) return 0;
  const double wanted = std::ceil(std::clamp(part, 0.0, 1.0) * static_cast<double>(count_));
  const uint64_t rank = std::max<uint64_t>(1, static_cast<uint64_t>(wanted));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= rank) return std::min(EndOf(bucket), max_);
  }
  return max_;
}

}  // namespace p402::bench
