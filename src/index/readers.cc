#include "index/readers.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/check.h"

namespace p402::index {
namespace {

// glibc has no function for it.
bool Membarrier(int command) {
  return syscall(SYS_membarrier, command, 0, 0) == 0;
}

}  // namespace

// Linux has it since 4.14; a container may forbid it.
Readers::Barrier Readers::Best() {
  const bool has_membarrier = Membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) &&
                              Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
  return has_membarrier ? Barrier::kOfTheWriter : Barrier::kOfEach;
}

void Readers::Begin() {
  has_turned_ = false;
  if (barrier_ == Barrier::kOfEach) return std::atomic_thread_fence(std::memory_order_seq_cst);
  while (!Membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) {
    // Refused only to a process that forbade it to itself since: then nothing can be freed safely.
    P402_CHECK(errno == ENOMEM);
    std::this_thread::yield();
  }
}

bool Readers::HasPassed() {
  if (!has_turned_) {
    const unsigned parity = parity_.load(std::memory_order_relaxed);
    if (!IsEmpty(1 - parity)) return false;
    parity_.store(1 - parity, std::memory_order_relaxed);
    has_turned_ = true;
  }
  return IsEmpty(1 - parity_.load(std::memory_order_relaxed));
}

bool Readers::IsEmpty(unsigned parity) const {
  uint64_t left = 0;
  for (const Stripe& stripe : stripes_) left += stripe.left[parity].load();
  uint64_t entered = 0;
  for (const Stripe& stripe : stripes_) entered += stripe.entered[parity].load();
  return left == entered;
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
