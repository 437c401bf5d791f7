#include "base/stripe.h"

#include <atomic>

namespace p402 {

size_t StripeOfThisThread() {
  static std::atomic<size_t> next{0};
  thread_local const size_t stripe = next.fetch_add(1, std::memory_order_relaxed) % kStripes;
  return stripe;
}

}  // namespace p402
