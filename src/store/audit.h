#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/result.h"
#include "store/change.h"

namespace p402::store {

struct AuditQuery {
  key::AccountId account;
  std::optional<int64_t> before = {};  // numbers below this one, newest first
  std::optional<std::string> subject = {};
  std::optional<std::string> action = {};
  size_t limit = 100;
};

struct AuditHead {
  int64_t number = 0;  // 0: no record yet
  key::Digest hash{};
  bool operator==(const AuditHead&) const = default;
};

struct AuditVerdict {
  bool is_intact = false;
  int64_t checked = 0;       // records that were hashed
  int64_t first_number = 0;  // after pruning: the checkpoint's
  AuditHead head = {};
  std::string problem = {};   // what is wrong, and at which number
  bool anchor_found = false;  // if an anchor was given: it is the hash of a record in the chain
};

// Reading the audit trail (S1). It is written and pruned by Store::Commit.
class Audit {
 public:
  virtual ~Audit() = default;
  virtual void List(AuditQuery query, Callback<Result<std::vector<AuditRecord>>> done) = 0;
  virtual void ReadHead(Callback<Result<AuditHead>> done) = 0;
  // Hashes the whole chain: detects a changed, missing, reordered or added record up to the head,
  // and up to `anchor` also a chain that was rewritten as a whole.
  virtual void Verify(std::optional<key::Digest> anchor, Callback<Result<AuditVerdict>> done) = 0;
};

}  // namespace p402::store
