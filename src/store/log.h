#pragma once

#include <vector>

#include "base/executor.h"
#include "base/result.h"
#include "store/change.h"

namespace p402::store {

// The change log: what every node folds into its index.
class ChangeLog {
 public:
  virtual ~ChangeLog() = default;
  virtual void ReadHead(int32_t shard, Callback<Result<Head>> done) = 0;
  // Up to `limit` entries with seq >= `from`, ascending and contiguous.
  virtual void Read(int32_t shard, int64_t from, size_t limit,
                    Callback<Result<std::vector<Change>>> done) = 0;
};

}  // namespace p402::store
