#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "store/store.h"

namespace p402::store::memory {

using IdempotencyKey = std::pair<key::AccountId, key::Digest>;

// Everything that the memory store holds. Guarded by `mutex`.
struct State {
  State(const Clock& a_clock, Random& a_random) : clock(a_clock), random(a_random) {}

  const Clock& clock;
  Random& random;
  std::mutex mutex;
  std::map<key::KeyId, key::Record> keys;
  std::map<key::Digest, key::KeyId> digests;
  // By the id of the key that made them, or that they were rotated from.
  std::map<std::string, std::set<key::KeyId>> heirs;
  std::map<key::AccountId, Account> accounts;
  std::map<IdempotencyKey, Idempotency> idempotency;
  std::vector<Change> log;  // seq is the place plus one
  std::vector<AuditRecord> audit;
  AuditHead audit_checkpoint;
  AuditHead audit_head;
};

// Runs `plan` and applies what it decided, or nothing.
// Requires: `state.mutex` is held.
Result<Committed> RunPlan(State& state, Plan& plan);
// Deletes old audit records.
// Requires: `state.mutex` is held.
int64_t PruneAudit(State& state, WallTime before, AuditRecord by);

}  // namespace p402::store::memory
