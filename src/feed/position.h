#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "store/change.h"

namespace p402::feed {

// How far this node has come in one history: the sequence and the tag of the last applied entry;
// zero and zero before the first.
struct Position {
  int64_t seq = 0;
  uint64_t tag = 0;

  // Where to read from, so that the first row proves that the history is still ours.
  int64_t read_from() const { return seq == 0 ? 1 : seq; }

  // Returns the part of `batch` that is new. `batch` is what the log holds from read_from() on.
  // Errors: kCorrupt for a missing or different first row (trimmed, or another history) and for a
  // gap.
  Result<std::span<const store::Change>> NewIn(std::span<const store::Change> batch) const;
};

}  // namespace p402::feed
