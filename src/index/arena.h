#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "index/pages.h"
#include "index/populator.h"

namespace p402::index {

// Memory for pieces of varying length. A reference counts units of 16 bytes from the arena's start,
// so that it has 32 bits and means the same when the chunks lie elsewhere; 0 refers to nothing.
//
//   reference:  chunk (15 bits) · unit in the chunk (17 bits); a chunk has 2 MiB
//
// A piece never moves, and never crosses a chunk; one of more than an eighth of a chunk has a chunk
// of its own.
//
// Threads: one writer allocates and frees; a piece that was published to a reader may be read by it
// until it is freed.
class Arena {
 public:
  static constexpr size_t kUnitBytes = 16;
  static constexpr uint32_t kUnitsPerChunk = kHugePageBytes / kUnitBytes;
  static constexpr size_t kMaxChunks = size_t{1} << 15;
  static constexpr size_t kChunksAhead = 16;

  Arena();
  std::byte* At(uint32_t reference) const {
    return chunks_[reference / kUnitsPerChunk].load(std::memory_order_acquire) +
           reference % kUnitsPerChunk * kUnitBytes;
  }
  // Aborts beyond 64 GiB, or if the system has no memory left.
  uint32_t Allocate(size_t bytes);
  // Requires: `bytes` as allocated, and no reader.
  void Free(uint32_t reference, size_t bytes);
  // Frees everything.
  // Requires: no reader; the populator has stopped.
  void Clear();
  // Keeps a few chunks ahead, which `populator` touches.
  void PopulateAhead(Populator& populator) { populator_ = &populator; }

  size_t used_bytes() const { return used_bytes_; }      // allocated and not freed, rounded up
  size_t mapped_bytes() const { return mapped_bytes_; }  // of that and of what is free

 private:
  // Sizes above 16 units are rounded up to four significant bits: at most an eighth is lost.
  struct Size {
    uint32_t units;
    uint32_t kind;  // numbers the possible sizes from 0
  };
  static Size SizeFor(size_t bytes);
  uint32_t AddChunk(size_t bytes);
  Pages NewPages(uint32_t chunk, size_t bytes);

  std::array<std::atomic<std::byte*>, kMaxChunks> chunks_{};
  std::vector<Pages> pages_;  // by chunk
  std::deque<Pages> ahead_;   // for the next chunks
  Populator* populator_ = nullptr;
  std::vector<uint32_t> free_chunks_;        // numbers of large pieces' chunks that were freed
  std::vector<std::vector<uint32_t>> free_;  // by kind
  uint32_t next_ = 0;                        // of the chunk that is being filled
  uint32_t end_ = 0;
  size_t used_bytes_ = 0;
  size_t mapped_bytes_ = 0;
};

}  // namespace p402::index
