#pragma once

#include <cstddef>

namespace p402 {

inline constexpr size_t kStripes = 16;

// A number below kStripes that stays the same for a thread. Numbers are given out in turn, so that
// as many threads write to as many cache lines of whatever is kept once for each stripe.
// Threads: safe to call concurrently. Cost: a read of a thread's own variable.
size_t StripeOfThisThread();

}  // namespace p402
