#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace p402::index {

// Who reads right now, so that the one writer knows when nobody can look any more at what it has
// taken out of sight. Readers neither wait nor lock; the writer frees later.
//
//   reader: (1) read the parity p      (2) ++count[stripe][p]
//           (3) read a reference       … use it …        (4) --count[stripe][p]
//   writer: (5) replace the reference  (6) see every count[*][1-p] at 0, each once
//           (7) turn the parity        (8) see every count[*][p] at 0, each once   (9) free
//
// (2), (3), (5), (6) and (8) are sequentially consistent, so they have one order. A reader that
// holds what (5) replaced read it before: (2) < (3) < (5) < (6), (8). Whatever parity it saw in
// (1), one of (6) and (8) looks at its counter after (2), and cannot see 0 before (4). A counter's
// zeros may be seen one after the other, since such a reader keeps its own above zero. (7) is only
// there for progress: new readers count elsewhere while the writer waits for the old ones. (4)
// releases and (6), (8) acquire: what the reader read happened before the memory is used again.
class Readers {
 public:
  // Holds off (9). Movable between threads; leaves when it is destroyed.
  class Pin {
   public:
    Pin() = default;
    Pin(Pin&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
    Pin& operator=(Pin&& other) noexcept {
      std::swap(count_, other.count_);
      return *this;
    }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    ~Pin() {
      if (count_ != nullptr) count_->fetch_sub(1, std::memory_order_release);  // (4)
    }

   private:
    friend class Readers;
    explicit Pin(std::atomic<uint64_t>* count) : count_(count) {}
    std::atomic<uint64_t>* count_ = nullptr;
  };

  // Threads: any. Cost: one atomic addition in a line that the calling processor owns.
  Pin Enter() {
    auto& count = stripes_[ThisStripe() % kStripes].counts[parity_.load()];
    count.fetch_add(1);
    return Pin(&count);
  }

  // A number that differs between threads that run at the same time, as far as there are enough.
  static unsigned ThisStripe();

  // The writer's. Begins a grace period: what was replaced before is free once HasPassed() says so.
  void Begin();
  // Looks once; never waits.
  // Requires: Begin().
  bool HasPassed();

 private:
  static constexpr size_t kStripes = 64;
  struct alignas(64) Stripe {
    std::array<std::atomic<uint64_t>, 2> counts{};
  };

  bool AreZero(unsigned parity);

  std::array<Stripe, kStripes> stripes_;
  alignas(64) std::atomic<unsigned> parity_{0};
  alignas(64) bool has_turned_ = false;  // the writer's
  size_t next_stripe_ = 0;
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
