#pragma once

#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/result.h"
#include "key/ids.h"

namespace p402::store {

struct UsageMark {
  key::KeyId key;
  WallTime at{};
};

// last_used_at (L1, L2).
class Usage {
 public:
  virtual ~Usage() = default;
  // Writes the marks in one transaction; afterwards every reading shows them. A mark never goes
  // back, and is never later than the store's time; marks of unknown keys are not shown.
  virtual void Write(std::vector<UsageMark> marks, Callback<Status> done) = 0;
};

}  // namespace p402::store
