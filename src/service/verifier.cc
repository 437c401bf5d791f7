#include "service/verifier.h"

namespace p402::service {
namespace {

Failure NotCurrent() {
  return Failure(Error{.code = ErrorCode::kUnavailable,
                       .reason = "not_ready",
                       .detail = "this node is not current",
                       .public_message = "this node cannot verify yet"});
}

}  // namespace

Verifier::Verifier(index::Index& index, feed::Feed& feed, const Clock& clock, bool marks_use)
    : index_(index), feed_(feed), clock_(clock), marks_use_(marks_use) {}

Result<index::Answer> Verifier::Verify(std::string_view presented, const key::Question& question) {
  return Verify(presented, question, clock_.Now());
}

// Before, so that nothing is looked up in an index that is not whole; after, so that an answer
// whose lookup raced with the end of currency is not given.
Result<index::Answer> Verifier::Verify(std::string_view presented, const key::Question& question,
                                       WallTime now) {
  if (!feed_.is_current()) return NotCurrent();
  auto answer = index_.Verify(presented, question, now, marks_use_);
  if (!feed_.is_current()) return NotCurrent();
  return answer;
}

}  // namespace p402::service
