#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "feed/feed.h"
#include "index/index.h"
#include "service/caller.h"

namespace p402::service {

// Turns a presented raw key into a Caller, from memory.
// Threads: safe to call concurrently.
class Authenticator {
 public:
  // `marks_use`: a valid key counts as used (L1).
  Authenticator(index::Index& index, feed::Feed& feed, const Clock& clock, bool marks_use = true);

  // The index's own answer by the wall clock `now`, without a copy of the key: for what is answered
  // at once.
  // Errors: kUnavailable while this node is not current. A refused key is a decision, not an error.
  Result<index::Answer> AuthenticateView(std::string_view presented,
                                         const std::optional<key::IpAddress>& ip, WallTime now);
  // Errors: kUnauthenticated with the decision's name as `reason` ("malformed", "not_found",
  // "revoked", "disabled", "expired", "ip_not_allowed"); kUnavailable while this node is not
  // current (V4: never valid).
  Result<Caller> Authenticate(std::string_view presented, std::optional<key::IpAddress> ip,
                              std::string request_id);
  // A5, R2: like Authenticate, but a revoked key is let through: only for DELETE of itself.
  Result<Caller> AuthenticateForSelfRevoke(std::string_view presented,
                                           std::optional<key::IpAddress> ip,
                                           std::string request_id);
  // R2: Ok if the caller would be authenticated now, with `scope` (empty: none needed). Called
  // before a read is answered.
  // Errors: as Authenticate, and kPermissionDenied, reason "insufficient_scope", `field` the scope.
  Status Recheck(const Caller& caller, std::string_view scope) const;

 private:
  index::Index& index_;
  feed::Feed& feed_;
  const Clock& clock_;
  const bool marks_use_;
};

// Errors: kPermissionDenied, reason "insufficient_scope", `field` the scope.
Status RequireScope(const Caller& caller, std::string_view scope);

}  // namespace p402::service
