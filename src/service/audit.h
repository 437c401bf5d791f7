#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "service/caller.h"
#include "store/store.h"

namespace p402::service {

// Every action that a record can have. Never rename.
inline constexpr std::array<std::string_view, 7> kAuditActions = {
    "key.create",     "key.update",  "key.rotate",   "key.revoke",
    "account.create", "audit.prune", "store.restore"};

struct AuditListRequest {
  std::string cursor = {};
  std::optional<std::string> subject = {};
  std::optional<std::string> action = {};  // of kAuditActions
  size_t limit = limits::kPageDefault;
};
struct AuditListResult {
  std::vector<store::AuditRecord> records;
  // A12: only for the first account. Else number, previous and hash of the records are empty.
  bool shows_chain = false;
  std::optional<std::string> next_cursor = {};
};

// S1. List needs audit:read and shows the caller's own account. Verify, Anchor and Prune concern
// the whole store: the first account's keys only, with audit:read (Prune: audit:prune). A test key
// may none of it: the records tell of live keys (A2).
// Reads are not checked again here (R2): that is for whoever writes the answer.
//
// Threads:  safe to call concurrently.
// Lifetime: `store` and `log` outlive it and its completions; `random` is used at construction only.
class Audit {
 public:
  Audit(store::Store& store, Random& random, Log& log);
  ~Audit();
  Audit(const Audit&) = delete;
  Audit& operator=(const Audit&) = delete;
  // Errors: kInvalidArgument naming the field.
  void List(const Caller& caller, AuditListRequest request, Callback<Result<AuditListResult>> done);
  void Verify(const Caller& caller, std::optional<key::Digest> anchor,
              Callback<Result<store::AuditVerdict>> done);
  // The head of the chain; it is logged too, as event "audit.anchor".
  void Anchor(const Caller& caller, Callback<Result<store::AuditHead>> done);
  // Deletes what is older, leaves a checkpoint, and completes with how many records it deleted.
  // Errors: kInvalidArgument, field "older_than", below limits::kAuditPruneMinAge.
  void Prune(const Caller& caller, Millis older_than, Callback<Result<int64_t>> done);
  // Logs the head now and hourly, until this object is destroyed.
  void StartHourlyAnchor(Scheduler& scheduler);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace p402::service
