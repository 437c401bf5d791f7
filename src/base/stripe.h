#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace p402 {

// What is counted often by many threads is kept once for each stripe, on a cache line of its own:
// each of the first threads that count anything has a stripe for itself, and the later ones spread
// over the rest.
inline constexpr size_t kOwnStripes = 16;
inline constexpr size_t kSharedStripes = 8;
inline constexpr size_t kStripes = kOwnStripes + kSharedStripes;

// The stripe of the calling thread, always the same one.
// Threads: safe to call concurrently. Cost: a read of a variable of the thread's.
size_t StripeOfThisThread();

// Adds to the part of a count that lies in `stripe`, and returns what it was before.
// In a stripe of its own a thread is the only writer, so it needs no locked instruction, which would
// cost as much as the rest of an observation.
// Requires: `stripe` is StripeOfThisThread(); `order` is that of a write: relaxed or release.
inline uint64_t AddToStripe(std::atomic<uint64_t>& part, uint64_t count, size_t stripe,
                            std::memory_order order = std::memory_order_relaxed) {
  if (stripe >= kOwnStripes) return part.fetch_add(count, order);
  const uint64_t before = part.load(std::memory_order_relaxed);
  part.store(before + count, order);
  return before;
}

}  // namespace p402
