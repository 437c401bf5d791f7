#include "key/decision.h"

#include "base/check.h"

namespace p402::key {
namespace {

class RecordKey {
 public:
  explicit RecordKey(const Record& record) : record_(record) {}
  bool IsOf(const AccountId& account) const { return record_.account == account; }
  bool is_revoked() const { return record_.revoked_at.has_value(); }
  bool HasExpired(WallTime now) const { return record_.expires_at && now >= *record_.expires_at; }
  bool is_disabled() const { return record_.is_disabled; }
  Mode mode() const { return record_.mode; }
  bool Allows(const std::optional<IpAddress>& ip) const { return record_.allowed_cidrs.Allows(ip); }
  bool Covers(std::string_view scope) const { return record_.scopes.Covers(scope); }

 private:
  const Record& record_;
};

}  // namespace

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
  return Decide(RecordKey(record), question, now);
}

}  // namespace p402::key
