#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/stripe.h"

namespace p402::index {

// Who reads right now, so that the one writer knows when nobody can look any more at what it has
// taken out of sight. Readers neither wait nor lock; the writer frees later.
//
//   reader: (1) read the parity p      (2) ++entered[stripe][p]   a barrier of the compiler's
//           (3) read a reference       … use it …                 (4) ++left[stripe][p]
//   writer: (5) replace the reference  (6) a barrier on every processor
//           (7) see as many left[1-p] as entered[1-p]             (8) turn the parity
//           (9) see as many left[p] as entered[p]                 (10) free
//
// (2) and (3) must not change places, and a processor is free to do just that: the usual remedy, a
// locked instruction at (2), would make every reader wait until all of its earlier reads are done,
// so that nothing of the next verification overlaps with them. Instead (6) makes every processor on
// which this process runs pass a full barrier (membarrier(2)). Where the barrier falls into a
// reader's steps, one of two things is true: it comes before (3), then the reader sees (5) and
// holds nothing old; or it comes after (3) and so after (2), then everything after (6) sees (2).
// Where the system has no such call, readers and writer each pass a barrier of their own there.
//
// (7) and (9) add up all left counts first, then all entered ones. (4) releases and the sum of left
// acquires: whoever was seen to leave is also seen to have entered, although he may have left in
// another stripe. So the sums are equal only if nobody is inside whose (2) was before (6). Whatever
// parity such a reader saw in (1), one of (7) and (9) counts him. (8) is only there for progress:
// new readers count elsewhere while the writer waits for the old ones. The same acquire orders what
// the reader read before (10).
class Readers {
 public:
  // Holds off (10). Movable between threads; leaves when it is destroyed.
  class Pin {
   public:
    Pin() = default;
    Pin(Pin&& other) noexcept
        : readers_(std::exchange(other.readers_, nullptr)), parity_(other.parity_) {}
    Pin& operator=(Pin&& other) noexcept {
      std::swap(readers_, other.readers_);
      std::swap(parity_, other.parity_);
      return *this;
    }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    ~Pin() {
      if (readers_ != nullptr) readers_->Leave(parity_);
    }

   private:
    friend class Readers;
    Pin(Readers* readers, unsigned parity) : readers_(readers), parity_(parity) {}
    Readers* readers_ = nullptr;
    unsigned parity_ = 0;
  };

  enum class Barrier : uint8_t { kOfTheWriter, kOfEach };  // at (6): membarrier, or one for each
  // kOfTheWriter if the system can.
  static Barrier Best();

  explicit Readers(Barrier barrier = Best()) : barrier_(barrier) {}
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  // Threads: any. Cost: two writes to a line that the calling thread owns; the threads that come
  // late share theirs (stripe.h), with a locked instruction each.
  Pin Enter() {
    const size_t stripe = StripeOfThisThread();
    const unsigned parity = parity_.load(std::memory_order_relaxed);
    AddToStripe(stripes_[stripe].entered[parity], 1, stripe);
    if (barrier_ == Barrier::kOfEach) {
      std::atomic_thread_fence(std::memory_order_seq_cst);
    } else {
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    return {this, parity};
  }

  // The writer's. Begins a grace period: what was replaced before is free once HasPassed() says so.
  // Cost: an interrupt of every processor that runs this process, some microseconds.
  void Begin();
  // Looks once; never waits.
  // Requires: Begin().
  bool HasPassed();

 private:
  struct alignas(64) Stripe {
    std::array<std::atomic<uint64_t>, 2> entered{};
    std::array<std::atomic<uint64_t>, 2> left{};
  };

  void Leave(unsigned parity) {
    const size_t stripe = StripeOfThisThread();
    AddToStripe(stripes_[stripe].left[parity], 1, stripe, std::memory_order_release);
  }
  bool IsEmpty(unsigned parity) const;

  const Barrier barrier_;
  std::array<Stripe, kStripes> stripes_;
  alignas(64) std::atomic<unsigned> parity_{0};
  alignas(64) bool has_turned_ = false;  // the writer's
};

// What is to be freed when readers have left.
// Threads: the writer's only.
class Limbo {
 public:
  explicit Limbo(Readers& readers) : readers_(readers) {}

  // `free` runs once every reader that may see what it frees has left; what it frees is out of
  // sight already.
  void Add(std::function<void()> free) { fresh_.push_back(std::move(free)); }
  // Frees what may be freed. Never waits.
  void Poll();
  // Waits until all readers have left that were there when it was called, and frees everything.
  void Drain();

 private:
  Readers& readers_;
  std::vector<std::function<void()>> fresh_;
  std::vector<std::function<void()>> waiting_;  // for the grace period that has begun
};

}  // namespace p402::index
