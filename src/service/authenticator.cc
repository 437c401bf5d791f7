#include "service/authenticator.h"

#include <utility>

#include "service/permissions.h"

namespace p402::service {
namespace {

// V4: what this node cannot prove to be current, it does not say.
Status RequireCurrent(const feed::Feed& feed) {
  if (feed.is_current()) return {};
  return Failure(Error{.code = ErrorCode::kUnavailable,
                       .reason = "not_ready",
                       .detail = "this node is not current",
                       .public_message = "this node cannot answer yet"});
}

}  // namespace

Authenticator::Authenticator(index::Index& index, feed::Feed& feed, const Clock& clock)
    : index_(index), feed_(feed), clock_(clock) {}

Result<Caller> Authenticator::Authenticate(std::string_view presented,
                                           std::optional<key::IpAddress> ip,
                                           std::string request_id) {
  P402_TRY(RequireCurrent(feed_));
  auto answer = index_.Verify(presented, {.ip = ip}, clock_.Now());
  P402_TRY(RequireCurrent(feed_));
  if (answer.decision != key::Decision::kValid) return Unauthenticated(answer.decision);
  return Caller{.record = std::move(answer.record), .ip = ip, .request_id = std::move(request_id)};
}

Result<Caller> Authenticator::AuthenticateForSelfRevoke(std::string_view presented,
                                                        std::optional<key::IpAddress> ip,
                                                        std::string request_id) {
  P402_TRY(RequireCurrent(feed_));
  auto answer = index_.Verify(presented, {.ip = ip}, clock_.Now());
  P402_TRY(RequireCurrent(feed_));
  const bool is_valid = answer.decision == key::Decision::kValid;
  if (!is_valid && answer.decision != key::Decision::kRevoked) {
    return Unauthenticated(answer.decision);
  }
  Caller caller{.record = std::move(answer.record), .ip = ip, .request_id = std::move(request_id)};
  if (!is_valid) P402_TRY(CheckActorForSelfRevoke(*caller.record, caller));
  return caller;
}

Status Authenticator::Recheck(const Caller& caller, std::string_view scope) const {
  P402_TRY(RequireCurrent(feed_));
  const auto answer = index_.Recheck(caller.record->digest, {.ip = caller.ip}, clock_.Now());
  P402_TRY(RequireCurrent(feed_));
  if (answer.decision != key::Decision::kValid) return Unauthenticated(answer.decision);
  if (scope.empty()) return {};
  return RequireScope(*answer.record, scope);
}

Status RequireScope(const Caller& caller, std::string_view scope) {
  return RequireScope(*caller.record, scope);
}

}  // namespace p402::service
