#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/await.h"
#include "base/executor.h"
#include "base/testing/fakes.h"
#include "base/typeid.h"
#include "store/store.h"

namespace p402::store::testing {

// Makes changes and waits for them.
// Threads: safe to call concurrently.
class Driver {
 public:
  explicit Driver(uint64_t seed = 1) : random_(seed) {}

  p402::testing::FakeClock& clock() { return clock_; }
  p402::testing::SeededRandom& random() { return random_; }
  TaskThread& executor() { return executor_; }

  key::Record NewKey(const key::AccountId& account);
  // With its audit record, as a change of one key.
  static Writes ChangeOf(key::Record record, ChangeKind kind);
  static Plan PlanOf(Writes writes);

  Result<Committed> Commit(Store& store, Writes writes);
  Result<key::AccountId> AddAccount(Store& store, bool is_first = true);
  Result<key::Record> AddKey(Store& store, const key::AccountId& account);
  Result<key::Record> Revoke(Store& store, key::Record record);
  Status Mark(Store& store, const key::KeyId& key);
  Result<std::optional<key::Record>> Get(Store& store, const key::Record& record);
  Result<std::vector<Change>> ReadLog(Store& store);
  Result<AuditVerdict> Verify(Store& store, std::optional<key::Digest> anchor = {});
  Result<AuditHead> AuditHeadOf(Store& store);
  Status Backup(Store& store, const std::filesystem::path& target);

 private:
  p402::testing::FakeClock clock_;
  p402::testing::SeededRandom random_;
  Uuid7Generator generator_{clock_, random_};
  TaskThread executor_{"driver", clock_};
};

}  // namespace p402::store::testing
