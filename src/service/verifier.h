#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "feed/feed.h"
#include "index/index.h"

namespace p402::service {

// Verification for others (V1, V2), from memory. Fail closed: while this node is not current every
// question is answered kUnavailable (V4), before and after the lookup.
// Threads: safe to call concurrently; never blocks.
class Verifier {
 public:
  // `marks_use`: a valid key counts as used (L1).
  Verifier(index::Index& index, feed::Feed& feed, const Clock& clock, bool marks_use = true);
  Result<index::Answer> Verify(std::string_view presented, const key::Question& question);
  // The same by the wall clock as the caller has just read it.
  Result<index::Answer> Verify(std::string_view presented, const key::Question& question,
                               WallTime now);

 private:
  index::Index& index_;
  feed::Feed& feed_;
  const Clock& clock_;
  const bool marks_use_;
};

}  // namespace p402::service
