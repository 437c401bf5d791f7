#include "store/audit_chain.h"

#include <fmt/format.h>

#include <utility>

namespace p402::store {

ChainVerifier::ChainVerifier(AuditHead checkpoint, std::optional<key::Digest> anchor)
    : anchor_(anchor), last_(checkpoint) {
  verdict_.first_number = checkpoint.number;
  if (checkpoint.number > 0) Look(checkpoint.hash);
}

void ChainVerifier::Look(const key::Digest& hash) {
  if (anchor_ && hash == *anchor_) verdict_.anchor_found = true;
}

bool ChainVerifier::Add(const AuditRecord& record) {
  if (!verdict_.problem.empty()) return false;
  if (verdict_.first_number == 0) verdict_.first_number = record.number;
  const int64_t expected = last_.number + 1;
  if (record.number != expected) {
    verdict_.problem =
        fmt::format("record {} is missing: {} follows {}", expected, record.number, last_.number);
    return false;
  }
  ++verdict_.checked;
  if (record.previous != last_.hash) {
    verdict_.problem =
        fmt::format("record {} does not continue record {}", record.number, last_.number);
    return false;
  }
  if (AuditHash(record) != record.hash) {
    verdict_.problem = fmt::format("record {} was changed: its hash does not fit", record.number);
    return false;
  }
  last_ = {.number = record.number, .hash = record.hash};
  Look(record.hash);
  return true;
}

AuditVerdict ChainVerifier::Finish(const AuditHead& head) && {
  verdict_.head = last_;
  if (verdict_.problem.empty() && last_ != head) {
    verdict_.problem = fmt::format("the chain ends at record {}, but its head is record {}",
                                   last_.number, head.number);
  }
  if (verdict_.problem.empty() && anchor_ && !verdict_.anchor_found) {
    verdict_.problem = fmt::format(
        "no record from number {} on has the anchor's hash: the chain was cut or rewritten, or the "
        "anchor's record was pruned",
        verdict_.first_number);
  }
  verdict_.is_intact = verdict_.problem.empty();
  return std::move(verdict_);
}

AuditHead Chain(const AuditHead& previous, WallTime at, AuditRecord& record) {
  record.number = previous.number + 1;
  record.at = at;
  record.previous = previous.hash;
  record.hash = AuditHash(record);
  return {.number = record.number, .hash = record.hash};
}

AuditRecord PruneRecord(AuditRecord by, int64_t deleted, int64_t through) {
  by.action = "audit.prune";
  if (by.details.empty()) {
    by.details = fmt::format("{{\"deleted\":{},\"through\":{}}}", deleted, through);
  }
  return by;
}

}  // namespace p402::store
