#include "index/readers.h"

#include <sched.h>

#include <thread>

namespace p402::index {

// The processor's number: a memory read since Linux 4.18 and glibc 2.35 (restartable sequences). Not
// the thread's: the host of a library may have hundreds of threads, and no more processors for it.
unsigned Readers::ThisStripe() {
  const int processor = sched_getcpu();
  return processor < 0 ? 0 : static_cast<unsigned>(processor);
}

void Readers::Begin() {
  has_turned_ = false;
  next_stripe_ = 0;
}

bool Readers::HasPassed() {
  if (!has_turned_) {
    const unsigned parity = parity_.load(std::memory_order_relaxed);
    if (!AreZero(1 - parity)) return false;
    parity_.store(1 - parity);
    has_turned_ = true;
    next_stripe_ = 0;
  }
  return AreZero(1 - parity_.load(std::memory_order_relaxed));
}

bool Readers::AreZero(unsigned parity) {
  while (next_stripe_ < kStripes && stripes_[next_stripe_].counts[parity].load() == 0) {
    ++next_stripe_;
  }
  return next_stripe_ == kStripes;
}

void Limbo::Poll() {
  if (waiting_.empty()) {
    if (fresh_.empty()) return;
    std::swap(waiting_, fresh_);
    readers_.Begin();
  }
  if (!readers_.HasPassed()) return;
  for (const auto& free : waiting_) free();
  waiting_.clear();
}

void Limbo::Drain() {
  // At least one whole grace period, even if nothing is to be freed.
  if (fresh_.empty()) fresh_.emplace_back([] {});
  while (!fresh_.empty() || !waiting_.empty()) {
    Poll();
    if (!waiting_.empty()) std::this_thread::yield();
  }
}

}  // namespace p402::index
