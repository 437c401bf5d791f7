#include "service/commit.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "service/audit.h"

namespace p402::service {
namespace {

using Then = std::move_only_function<void(Result<Enforcement>)>;
using Reached = Result<feed::BarrierReport>;

Error NotEnforced(int64_t seq, const Error& error) {
  return {.code = ErrorCode::kUnavailable,
          .detail = "committed as " + std::to_string(seq) +
                    ", but not known to be enforced: " + error.detail,
          .public_message = "the change is stored, but not yet known to be enforced; repeat it"};
}

void AnswerCommitted(feed::Feed& feed, int64_t seq, Executor& executor, Then then) {
  feed.Barrier(seq, Callback<Reached>(executor, [](Reached) {}));
  Enforcement enforcement{.seq = seq, .pending_nodes = feed.Pending(seq)};
  enforcement.is_enforced = enforcement.pending_nodes.empty();
  if (enforcement.is_enforced) enforcement.report.acknowledged = 1;
  then(std::move(enforcement));
}

void AnswerEnforced(feed::Feed& feed, int64_t seq, Executor& executor, Then then) {
  auto reached = [seq, then = std::move(then)](Reached report) mutable {
    if (!report) return then(Failure(NotEnforced(seq, report.error())));
    then(Enforcement{.seq = seq, .is_enforced = true, .report = *report});
  };
  feed.Barrier(seq, Callback<Reached>(executor, std::move(reached)));
}

}  // namespace

void CommitAndEnforce(store::Store& store, feed::Feed& feed, store::Plan plan, Wait wait,
                      Executor& executor, Then then) {
  auto committed = [&feed, wait, &executor,
                    then = std::move(then)](Result<store::Committed> result) mutable {
    if (!result) return then(Failure(std::move(result).error()));
    if (wait == Wait::kCommitted) {
      return AnswerCommitted(feed, result->seq, executor, std::move(then));
    }
    AnswerEnforced(feed, result->seq, executor, std::move(then));
  };
  store.Commit(std::move(plan), Callback<Result<store::Committed>>(executor, std::move(committed)));
}

store::AuditRecord AuditOf(const Caller& caller, std::string_view action, std::string subject,
                           std::string details) {
  P402_CHECK(std::ranges::find(kAuditActions, action) != kAuditActions.end());
  return {.account = caller.record->account,
          .actor = caller.actor(),
          .action = std::string(action),
          .subject = std::move(subject),
          .details = std::move(details),
          .ip = caller.ip ? caller.ip->ToString() : std::string(),
          .request_id = caller.request_id};
}

}  // namespace p402::service
