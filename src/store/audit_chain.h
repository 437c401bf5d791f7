#pragma once

#include <optional>
#include <string>
#include <utility>

#include "store/audit.h"

namespace p402::store {

// Checks a chain record by record, in ascending order: what Audit::Verify does in every store.
class ChainVerifier {
 public:
  // `checkpoint`: the last record that was pruned; number 0 if none was.
  ChainVerifier(AuditHead checkpoint, std::optional<key::Digest> anchor);
  // Returns false once the chain is known to be broken: further records need not be read.
  bool Add(const AuditRecord& record);
  // The next record cannot even be read.
  void Break(std::string problem) { verdict_.problem = std::move(problem); }
  // `head` is what the store holds to be the last record.
  AuditVerdict Finish(const AuditHead& head) &&;

 private:
  void Look(const key::Digest& hash);

  std::optional<key::Digest> anchor_;
  AuditHead last_;
  AuditVerdict verdict_;
};

// Fills what the store fills: chains `record` to `previous` and returns the new head.
AuditHead Chain(const AuditHead& previous, WallTime at, AuditRecord& record);

// `by` as the record that tells of a pruning: "audit.prune", with the counts in `details` if the
// caller left them empty.
AuditRecord PruneRecord(AuditRecord by, int64_t deleted, int64_t through);

}  // namespace p402::store
