#include "index/arena.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"
#include "base/limits.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif
#endif
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(data, size) (static_cast<void>(data), static_cast<void>(size))
#define ASAN_UNPOISON_MEMORY_REGION(data, size) ASAN_POISON_MEMORY_REGION(data, size)
#endif

namespace p402::index {
namespace {

constexpr uint32_t kExactUnits = 16;
constexpr uint32_t kLargeUnits = Arena::kUnitsPerChunk / 8;
static_assert(Arena::kMaxChunks * kHugePageBytes == limits::kIndexFactsBytes);

}  // namespace

Arena::Arena() {
  Clear();
}

Arena::Size Arena::SizeFor(size_t bytes) {
  P402_CHECK(bytes > 0 && bytes < size_t{1} << 30);
  const auto units = static_cast<uint32_t>((bytes + kUnitBytes - 1) / kUnitBytes);
  if (units <= kExactUnits) return {.units = units, .kind = units};
  const int shift = std::bit_width(units - 1) - 4;
  const uint32_t steps = ((units - 1) >> shift) + 1;  // 9 to 16 of 2^shift units
  return {.units = steps << shift,
          .kind = kExactUnits + static_cast<uint32_t>(shift - 1) * 8 + steps - 8};
}

uint32_t Arena::AddChunk(size_t bytes) {
  uint32_t chunk = static_cast<uint32_t>(pages_.size());
  if (!free_chunks_.empty()) {
    chunk = free_chunks_.back();
    free_chunks_.pop_back();
  } else {
    pages_.emplace_back();
  }
  P402_CHECK(chunk < kMaxChunks);
  pages_[chunk] = NewPages(chunk, bytes);
  mapped_bytes_ += bytes;
  chunks_[chunk].store(pages_[chunk].data(), std::memory_order_release);
  return chunk;
}

Pages Arena::NewPages(uint32_t chunk, size_t bytes) {
  if (populator_ == nullptr || bytes != kHugePageBytes) return {bytes, /*wants_huge=*/chunk > 0};
  while (ahead_.size() <= kChunksAhead) {
    const Pages& next = ahead_.emplace_back(kHugePageBytes, /*wants_huge=*/true);
    populator_->Touch(next.data(), next.size());
  }
  Pages pages = std::move(ahead_.front());
  ahead_.pop_front();
  return pages;
}

uint32_t Arena::Allocate(size_t bytes) {
  const auto [units, kind] = SizeFor(bytes);
  used_bytes_ += units * kUnitBytes;
  if (units > kLargeUnits) return AddChunk(units * kUnitBytes) * kUnitsPerChunk;
  if (kind < free_.size() && !free_[kind].empty()) {
    const uint32_t reference = free_[kind].back();
    free_[kind].pop_back();
    ASAN_UNPOISON_MEMORY_REGION(At(reference), units * kUnitBytes);
    return reference;
  }
  if (end_ - next_ < units) {
    next_ = AddChunk(kHugePageBytes) * kUnitsPerChunk;
    end_ = next_ + kUnitsPerChunk;
  }
  const uint32_t reference = next_;
  next_ += units;
  return reference;
}

void Arena::Free(uint32_t reference, size_t bytes) {
  const auto [units, kind] = SizeFor(bytes);
  used_bytes_ -= units * kUnitBytes;
  if (units > kLargeUnits) {
    const uint32_t chunk = reference / kUnitsPerChunk;
    mapped_bytes_ -= pages_[chunk].size();
    pages_[chunk] = Pages();
    return free_chunks_.push_back(chunk);
  }
  // The address sanitizer knows nothing of pieces unless it is told.
  ASAN_POISON_MEMORY_REGION(At(reference), units * kUnitBytes);
  if (kind >= free_.size()) free_.resize(kind + 1);
  free_[kind].push_back(reference);
}

void Arena::Clear() {
  for (const Pages& chunk : pages_) ASAN_UNPOISON_MEMORY_REGION(chunk.data(), chunk.size());
  pages_.clear();
  ahead_.clear();
  populator_ = nullptr;
  free_chunks_.clear();
  free_.clear();
  used_bytes_ = mapped_bytes_ = 0;
  next_ = AddChunk(kHugePageBytes) * kUnitsPerChunk + 1;  // 0 refers to nothing
  end_ = kUnitsPerChunk;
}

}  // namespace p402::index
