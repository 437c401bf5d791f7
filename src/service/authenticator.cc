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

Caller CallerOf(const index::View& key, const std::optional<key::IpAddress>& ip,
                std::string request_id) {
  return {.record = std::make_shared<const key::Record>(key.Materialize()),
          .ip = ip,
          .request_id = std::move(request_id)};
}

}  // namespace

Authenticator::Authenticator(index::Index& index, feed::Feed& feed, const Clock& clock,
                             bool marks_use)
    : index_(index), feed_(feed), clock_(clock), marks_use_(marks_use) {}

Result<index::Answer> Authenticator::AuthenticateView(std::string_view presented,
                                                      const std::optional<key::IpAddress>& ip,
                                                      WallTime now) {
  P402_TRY(RequireCurrent(feed_));
  auto answer = index_.Verify(presented, {.ip = ip}, now, marks_use_);
  P402_TRY(RequireCurrent(feed_));
  return answer;
}

Result<Caller> Authenticator::Authenticate(std::string_view presented,
                                           std::optional<key::IpAddress> ip,
                                           std::string request_id) {
  P402_TRY(const auto answer, AuthenticateView(presented, ip, clock_.Now()));
  if (answer.decision != key::Decision::kValid) return Unauthenticated(answer.decision);
  return CallerOf(answer.key, ip, std::move(request_id));
}

Result<Caller> Authenticator::AuthenticateForSelfRevoke(std::string_view presented,
                                                        std::optional<key::IpAddress> ip,
                                                        std::string request_id) {
  P402_TRY(const auto answer, AuthenticateView(presented, ip, clock_.Now()));
  const bool is_valid = answer.decision == key::Decision::kValid;
  if (!is_valid && answer.decision != key::Decision::kRevoked) {
    return Unauthenticated(answer.decision);
  }
  Caller caller = CallerOf(answer.key, ip, std::move(request_id));
  if (!is_valid) P402_TRY(CheckActorForSelfRevoke(*caller.record, caller));
  return caller;
}

Status Authenticator::Recheck(const Caller& caller, std::string_view scope) const {
  P402_TRY(RequireCurrent(feed_));
  const auto answer = index_.Recheck(caller.record->digest, {.ip = caller.ip}, clock_.Now());
  P402_TRY(RequireCurrent(feed_));
  if (answer.decision != key::Decision::kValid) return Unauthenticated(answer.decision);
  if (scope.empty()) return {};
  return answer.key.Covers(scope) ? Status() : RequireScope(answer.key.Materialize(), scope);
}

Status RequireScope(const Caller& caller, std::string_view scope) {
  return RequireScope(*caller.record, scope);
}

}  // namespace p402::service
