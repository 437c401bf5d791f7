#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace p402::bench {

// Counts durations in buckets that are at most 1/128 of their value wide.
// Units: nanoseconds. Memory: 34 KB, whatever is added.
// Threads: one at a time.
class Histogram {
 public:
  // Everything longer (18 minutes) counts as this long.
  static constexpr int64_t kMax = (int64_t{1} << 40) - 1;

  Histogram();
  // A negative duration, which only a broken clock makes, counts as 0.
  void Add(int64_t duration);
  // The shortest duration that at least `part` (0 to 1) of all were not longer than, rounded up to
  // the end of its bucket; 0 if nothing was added.
  int64_t Quantile(double part) const;
  uint64_t count() const { return count_; }
  int64_t max() const { return max_; }  // exact

 private:
  static size_t BucketOf(int64_t duration);
  static int64_t EndOf(size_t bucket);

  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  int64_t max_ = 0;
};

}  // namespace p402::bench
