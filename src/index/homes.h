#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "index/cell.h"
#include "key/digest.h"

namespace p402::index {

// Cells that lie where their key's digest says, as far as possible, so that a reader can ask the
// memory for a cell together with the line of the directory that leads to it: it waits once instead
// of twice.
//
// The home of a digest is four cells side by side. A key gets one of them as long as one is free:
// with twelve cells for eleven keys, three keys of four. Another key gets any cell that is free.
// This is never more than a guess: what the directory says is what counts.
//
//   cells:  [- 1 2 3] [4 5 6 7] …     home = 32 bits of the digest × homes / 2^32
//
// The homes follow the same bits as the directory's slots. A snapshot, which is written in the order
// of the cells, is therefore read in the order of the directory by digest.
//
// Threads: Prefetch: any. Everything else: the one writer's.
class Homes {
 public:
  // Makes homes for so many keys.
  // Requires: `cells` has none yet.
  void Reserve(Cells& cells, size_t keys);
  // Takes a cell for a key, a home if there is one. 0: none is left.
  uint32_t Take(const key::Digest& digest);
  // Returns false if the cell is none of these.
  bool GiveBack(uint32_t number);
  // The cell that Take(digest) would give now, if it is a home; else 0.
  uint32_t Next(const key::Digest& digest) const;
  // No cell is a home any more.
  void Clear();

  // Asks for the four lines. Cost: one is wanted, but together they take hardly longer than one.
  void Prefetch(const Cells& cells, const key::Digest& digest) const {
    const uint32_t homes = homes_.load(std::memory_order_relaxed);
    if (homes == 0) return;
    const uint32_t first = HomeOf(digest, homes) * kCellsPerHome;
    for (uint32_t i = 0; i < kCellsPerHome; ++i) cells.Prefetch(first + i);
  }

 private:
  static constexpr uint32_t kCellsPerHome = 4;
  static constexpr uint32_t kHomesPerWord = 64 / kCellsPerHome;

  static uint32_t HomeOf(const key::Digest& digest, uint32_t homes) {
    uint64_t word = 0;
    std::memcpy(&word, digest.data(), sizeof word);
    return static_cast<uint32_t>((word >> 32) * homes >> 32);
  }
  uint32_t AnyFree();

  std::atomic<uint32_t> homes_{0};  // readers may see a former number: it is a guess
  std::vector<uint64_t> taken_;     // a bit for each cell
  size_t first_free_ = 0;           // no word before it has a bit that is 0
};

}  // namespace p402::index
