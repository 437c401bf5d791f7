#include "key/decision.h"

#include <algorithm>

#include "base/check.h"

namespace p402::key {

std::string_view DecisionName(Decision decision) {
  switch (decision) {
    case Decision::kValid:
      return "valid";
    case Decision::kMalformed:
      return "malformed";
    case Decision::kNotFound:
      return "not_found";
    case Decision::kRevoked:
      return "revoked";
    case Decision::kDisabled:
      return "disabled";
    case Decision::kExpired:
      return "expired";
    case Decision::kInsufficientScope:
      return "insufficient_scope";
    case Decision::kWrongMode:
      return "wrong_mode";
    case Decision::kIpNotAllowed:
      return "ip_not_allowed";
  }
  P402_CHECK(false);
}

Decision Decide(const Record& record, const Question& question, WallTime now) {
  if (question.account && *question.account != record.account) return Decision::kNotFound;
  switch (StatusAt(record, now)) {
    case KeyStatus::kRevoked:
      return Decision::kRevoked;
    case KeyStatus::kExpired:
      return Decision::kExpired;
    case KeyStatus::kDisabled:
      return Decision::kDisabled;
    case KeyStatus::kActive:
      break;
  }
  if (question.mode && *question.mode != record.mode) return Decision::kWrongMode;
  if (!record.allowed_cidrs.Allows(question.ip)) return Decision::kIpNotAllowed;
  const bool has_scopes =
      std::all_of(question.scopes.begin(), question.scopes.end(),
                  [&](const std::string& scope) { return record.scopes.Covers(scope); });
  return has_scopes ? Decision::kValid : Decision::kInsufficientScope;
}

}  // namespace p402::key
