#pragma once

#include <functional>

#include "service/keys.h"

namespace p402::service {

// Commits `plan`, then waits as `wait` says until every member obeys it, then calls `then` on
// `executor`: what every change of this floor goes through (R1).
//
// With Wait::kCommitted the barrier is started all the same, so that this node applies the change.
// Errors: the plan's and the store's; kUnavailable or kCorrupt after the commit if it is not known
// to be enforced: the change is durable, and `detail` says so.
void CommitAndEnforce(store::Store& store, feed::Feed& feed, store::Plan plan, Wait wait,
                      Executor& executor, std::move_only_function<void(Result<Enforcement>)> then);

// Completes with `error`.
template <class T>
void Refuse(Callback<Result<T>> done, Error error) {
  std::move(done)(Failure(std::move(error)));
}

// The audit record of a change by `caller`.
store::AuditRecord AuditOf(const Caller& caller, std::string_view action, std::string subject,
                           std::string details);

}  // namespace p402::service
