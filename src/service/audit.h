#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/result.h"
#include "service/caller.h"
#include "store/store.h"

namespace p402::service {

struct AuditListRequest {
  std::string cursor = {};
  std::optional<std::string> subject = {};
  std::optional<std::string> action = {};
  size_t limit = limits::kPageDefault;
};
struct AuditListResult {
  std::vector<store::AuditRecord> records;
  std::optional<std::string> next_cursor = {};
};

// S1. List needs audit:read and shows the caller's own account. Verify, Anchor and Prune concern
// the whole store: the first account's keys only, with audit:read (Prune: audit:prune). A test key
// may none of it: the records tell of live keys (A2).
// Reads are not checked again here (R2): that is for whoever writes the answer.
// Threads: safe to call concurrently.
class Audit {
 public:
  Audit(store::Store& store, const Clock& clock, Log& log);
  ~Audit();
  Audit(const Audit&) = delete;
  Audit& operator=(const Audit&) = delete;
  void List(const Caller& caller, AuditListRequest request, Callback<Result<AuditListResult>> done);
  // `anchor_hex`: 64 hex digits, or empty.
  void Verify(const Caller& caller, std::string anchor_hex,
              Callback<Result<store::AuditVerdict>> done);
  // The head of the chain; it is logged too, as event "audit.anchor".
  void Anchor(const Caller& caller, Callback<Result<store::AuditHead>> done);
  void Prune(const Caller& caller, WallTime before, Callback<Result<int64_t>> done);
  // Logs the head now and hourly, until this object is destroyed.
  void StartHourlyAnchor(Scheduler& scheduler);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace p402::service
