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
// A digest has two homes, pairs of cells that lie side by side. A key gets a cell in the emptier
// one: of eleven cells for ten keys this is possible for five keys of six. Another key gets any
// cell that is free. This is never more than a guess: what the directory says is what counts.
//
//   cells:  [- 1] [2 3] [4 5] …     pair = 32 bits of the digest × pairs / 2^32
//
// The first home follows the same bits as the directory's slots. A snapshot, which is written in
// the order of the cells, is therefore read in the order of the directory by digest.
//
// Threads: Prefetch: any. Everything else: the one writer's.
class Homes {
 public:
  // Makes homes for so many keys. Requires: `cells` has none yet.
  void Reserve(Cells& cells, size_t keys);
  // Takes a cell for a key, a home if there is one. 0: none is left.
  uint32_t Take(const key::Digest& digest);
  // Returns false if the cell is none of these.
  bool GiveBack(uint32_t number);
  // The cell that Take(digest) would give now, if it is a home; else 0.
  uint32_t Next(const key::Digest& digest) const;
  // No cell is a home any more.
  void Clear();

  // Asks for the lines of both homes. Cost: four lines at once, of which one is wanted; together
  // they take hardly longer than one.
  void Prefetch(const Cells& cells, const key::Digest& digest) const {
    const uint32_t pairs = pairs_.load(std::memory_order_relaxed);
    if (pairs == 0) return;
    const uint32_t first = 2 * PairOf(BitsOf(digest, 0), pairs);
    const uint32_t second = 2 * PairOf(BitsOf(digest, 1), pairs);
    for (const uint32_t number : {first, first + 1, second, second + 1}) cells.Prefetch(number);
  }

 private:
  static constexpr uint32_t kPairsPerWord = 32;

  // 32 uniform bits of the digest, for the first or the second home.
  static uint32_t BitsOf(const key::Digest& digest, size_t home) {
    uint64_t word = 0;
    std::memcpy(&word, digest.data() + home * sizeof word, sizeof word);
    return static_cast<uint32_t>(word >> 32);
  }
  static uint32_t PairOf(uint32_t bits, uint32_t pairs) {
    return static_cast<uint32_t>(uint64_t{bits} * pairs >> 32);
  }
  // A bit for each of the two: taken.
  unsigned TakenOf(uint32_t pair) const {
    return static_cast<unsigned>(taken_[pair / kPairsPerWord] >> pair % kPairsPerWord * 2) & 3;
  }
  uint32_t AnyFree();

  std::atomic<uint32_t> pairs_{0};  // readers may see a former number: it is a guess
  std::vector<uint64_t> taken_;     // a bit for each cell
  size_t first_free_ = 0;           // no word before it has a bit that is 0
};

}  // namespace p402::index
