#include "base/stripe.h"

namespace p402 {

size_t StripeOfThisThread() {
  static std::atomic<size_t> next{0};
  thread_local const size_t stripe = [] {
    const size_t number = next.fetch_add(1, std::memory_order_relaxed);
    return number < kOwnStripes ? number : kOwnStripes + number % kSharedStripes;
  }();
  return stripe;
}

}  // namespace p402
