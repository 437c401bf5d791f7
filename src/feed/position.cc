#include "feed/position.h"

#include <string>

namespace p402::feed {

Result<std::span<const store::Change>> Position::NewIn(std::span<const store::Change> batch) const {
  if (seq > 0) {
    if (batch.empty() || batch.front().seq != seq) {
      return Fail(ErrorCode::kCorrupt,
                  "the log does not hold " + std::to_string(seq) + " any more");
    }
    if (batch.front().tag != tag) {
      return Fail(ErrorCode::kCorrupt, "the log has another history at " + std::to_string(seq));
    }
    batch = batch.subspan(1);
  }
  int64_t expected = seq + 1;
  for (const auto& change : batch) {
    if (change.seq != expected) {
      return Fail(ErrorCode::kCorrupt, "the log has a gap at " + std::to_string(expected));
    }
    ++expected;
  }
  return batch;
}

}  // namespace p402::feed
