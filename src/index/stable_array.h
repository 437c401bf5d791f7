#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "index/pages.h"
#include "index/populator.h"

namespace p402::index {

// An array that grows in chunks of 2 MiB and never moves an element. Element 0 is never given out.
//
// Threads: one writer; an element that was published to a reader may be read by it at any time.
template <class T, uint32_t kMaxSize>
class StableArray {
 public:
  static_assert(std::is_trivially_destructible_v<T>);
  static constexpr uint32_t kPerChunk = kHugePageBytes / sizeof(T);

  T& operator[](uint32_t number) const {
    return chunks_[number / kPerChunk].load(std::memory_order_acquire)[number % kPerChunk];
  }
  // The number of elements that were ever appended, and one.
  uint32_t end() const { return end_; }

  // Appends T() and returns its number. Aborts beyond kMaxSize.
  uint32_t Append() {
    const uint32_t number = end_++;
    P402_CHECK(number < kMaxSize);
    if (number / kPerChunk == pages_.size()) AddChunk();
    new (&(*this)[number]) T();
    return number;
  }
  // Appends so many T() at once.
  // Requires: T() is zero bytes.
  void Extend(uint32_t count) {
    P402_CHECK(count <= kMaxSize - end_);
    end_ += count;
    while (pages_.size() <= (end_ - 1) / kPerChunk) AddChunk();
  }
  void Populate(Populator& populator) const {
    for (const Pages& chunk : pages_) populator.Touch(chunk.data(), chunk.size());
  }
  // Asks for the line of an element, to read it soon. Whether there is such an element does not
  // matter.
  void Prefetch(uint32_t number) const {
    const auto chunk =
        reinterpret_cast<uintptr_t>(chunks_[number / kPerChunk].load(std::memory_order_relaxed));
    __builtin_prefetch(reinterpret_cast<const void*>(chunk + number % kPerChunk * sizeof(T)));
  }
  void PrefetchToWrite(uint32_t number) const { __builtin_prefetch(&(*this)[number], /*rw=*/1); }
  // Requires: no reader.
  void Clear() {
    end_ = 1;
    for (auto& chunk : chunks_) chunk.store(nullptr, std::memory_order_relaxed);
    pages_.clear();
    AddChunk();
  }
  size_t bytes() const { return size_t{end_} * sizeof(T); }

  StableArray() { AddChunk(); }

 private:
  // A few elements get along with small pages.
  void AddChunk() {
    const size_t index = pages_.size();
    pages_.emplace_back(kHugePageBytes, /*wants_huge=*/index > 0);
    chunks_[index].store(reinterpret_cast<T*>(pages_.back().data()), std::memory_order_release);
  }

  std::array<std::atomic<T*>, kMaxSize / kPerChunk + 1> chunks_{};
  std::vector<Pages> pages_;
  uint32_t end_ = 1;
};

}  // namespace p402::index
