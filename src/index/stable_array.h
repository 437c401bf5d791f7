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
