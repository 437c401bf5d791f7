#include "service/audit.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <mutex>
#include <utility>

#include "key/digest.h"
#include "service/audit_cursor.h"
#include "service/authenticator.h"
#include "service/commit.h"
#include "service/fields.h"
#include "service/permissions.h"

namespace p402::service {
namespace {

constexpr Millis kAnchorInterval = std::chrono::hours(1);

std::optional<int64_t> ParseNumber(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

Status CheckMayList(const Caller& caller) {
  P402_TRY(RequireScope(*caller.record, scopes::kAuditRead));
  // A test key sees only test keys, and the records tell of live ones.
  return RequireFirstAccountScope(*caller.record, scopes::kAuditRead, /*is_first_account=*/true);
}

// A misspelt action would look like a quiet account.
Status CheckAction(const std::optional<std::string>& action) {
  if (!action || std::ranges::find(kAuditActions, *action) != kAuditActions.end()) return {};
  return InvalidArgument(
      "action", fmt::format("\"action\" must be one of {}.", fmt::join(kAuditActions, ", ")));
}

Result<store::AuditQuery> ToQuery(const Caller& caller, const AuditListRequest& request) {
  P402_TRY(CheckMayList(caller));
  P402_TRY(CheckPageLimit(request.limit));
  P402_TRY(CheckAction(request.action));
  return store::AuditQuery{.account = caller.record->account,
                           .subject = request.subject,
                           .action = request.action,
                           .limit = request.limit + 1};
}

// What the first account sees as the number of a record is a sealed text for the others (A12).
struct Cursors {
  const AuditCursors& sealed;
  key::AccountId account;
  bool is_first_account = false;

  std::optional<int64_t> Parse(std::string_view cursor) const {
    return is_first_account ? ParseNumber(cursor) : sealed.Open(account, cursor);
  }
  std::string Format(int64_t number) const {
    return is_first_account ? std::to_string(number) : sealed.Seal(account, number);
  }
};

AuditListResult ToResult(std::vector<store::AuditRecord> records, size_t limit,
                         const Cursors& cursors) {
  AuditListResult result{.records = std::move(records), .shows_chain = cursors.is_first_account};
  if (result.records.size() > limit) {
    result.records.resize(limit);
    result.next_cursor = cursors.Format(result.records.back().number);
  }
  if (result.shows_chain) return result;
  for (auto& record : result.records) {
    record.number = 0;
    record.previous = {};
    record.hash = {};
  }
  return result;
}

// R2: the actor is checked in the transaction that prunes.
Result<store::Writes> PlanPruning(store::Transaction& transaction, const Caller& caller,
                                  Millis older_than) {
  P402_TRY(const auto actor, ReadActor(transaction, caller));
  P402_TRY(const auto account, transaction.GetAccount(actor.account));
  P402_TRY(RequireFirstAccountScope(actor, scopes::kAuditPrune, account && account->is_first));
  store::Writes writes;
  writes.pruning = {.before = transaction.Now() - older_than,
                    .by = AuditOf(caller, "audit.prune", {}, {})};
  return writes;
}

}  // namespace

struct Audit::Impl : std::enable_shared_from_this<Audit::Impl> {
  Impl(store::Store& a_store, Random& random, Log& a_log)
      : store(a_store), log(a_log), first_account(a_store), cursors(random) {}

  // The records that `request` asks for, once it is known whether the account is the first.
  void List(store::AuditQuery query, const AuditListRequest& request, bool is_first_account,
            Callback<Result<AuditListResult>> done);

  void LogHead(const store::AuditHead& head) {
    log.Info("audit.anchor", {{"number", head.number}, {"hash", key::ToHex(head.hash)}});
  }
  // A task for the scheduler that does nothing once the Audit is destroyed.
  template <class F>
  auto WhileAlive(F step) {
    return [self = shared_from_this(), step = std::move(step)](auto&&... values) mutable {
      std::lock_guard lock(self->mutex);
      if (!self->is_stopped) step(*self, std::forward<decltype(values)>(values)...);
    };
  }
  void AnchorHourly(Scheduler& scheduler);

  store::Store& store;
  Log& log;
  FirstAccount first_account;
  const AuditCursors cursors;
  std::mutex mutex;  // held while an hourly step runs
  bool is_stopped = false;
};

void Audit::Impl::AnchorHourly(Scheduler& scheduler) {
  auto logged = WhileAlive([](Impl& self, Result<store::AuditHead> head) {
    if (head) return self.LogHead(*head);
    self.log.Warning("audit.anchor_failed", {{"detail", head.error().detail}});
  });
  store.audit().ReadHead(Callback<Result<store::AuditHead>>(scheduler, std::move(logged)));
  scheduler.PostAfter(kAnchorInterval,
                      WhileAlive([&scheduler](Impl& self) { self.AnchorHourly(scheduler); }));
}

Audit::Audit(store::Store& store, Random& random, Log& log)
    : impl_(std::make_shared<Impl>(store, random, log)) {}

Audit::~Audit() {
  std::lock_guard lock(impl_->mutex);
  impl_->is_stopped = true;
}

void Audit::Impl::List(store::AuditQuery query, const AuditListRequest& request,
                       bool is_first_account, Callback<Result<AuditListResult>> done) {
  const Cursors in_use{
      .sealed = cursors, .account = query.account, .is_first_account = is_first_account};
  if (!request.cursor.empty()) {
    query.before = in_use.Parse(request.cursor);
    if (!query.before) {
      const Failure bad = InvalidArgument("cursor", "cursor is not one of this list's");
      return Refuse(std::move(done), bad.error());
    }
  }
  Executor& executor = done.executor();
  auto answer = [self = shared_from_this(), in_use, limit = request.limit,
                 done = std::move(done)](Result<std::vector<store::AuditRecord>> records) mutable {
    if (!records) return Refuse(std::move(done), std::move(records).error());
    std::move(done)(ToResult(*std::move(records), limit, in_use));
  };
  store.audit().List(std::move(query), Callback<Result<std::vector<store::AuditRecord>>>(
                                           executor, std::move(answer)));
}

void Audit::List(const Caller& caller, AuditListRequest request,
                 Callback<Result<AuditListResult>> done) {
  auto query = ToQuery(caller, request);
  if (!query) return Refuse(std::move(done), query.error());
  Executor& executor = done.executor();
  auto list = [impl = impl_, query = *std::move(query), request = std::move(request),
               done = std::move(done)](Result<bool> is_first) mutable {
    if (!is_first) return Refuse(std::move(done), std::move(is_first).error());
    impl->List(std::move(query), request, *is_first, std::move(done));
  };
  impl_->first_account.Is(caller.record->account,
                          Callback<Result<bool>>(executor, std::move(list)));
}

void Audit::Verify(const Caller& caller, std::optional<key::Digest> anchor,
                   Callback<Result<store::AuditVerdict>> done) {
  Executor& executor = done.executor();
  auto verify = [impl = impl_, anchor, done = std::move(done)](Status allowed) mutable {
    if (!allowed) return Refuse(std::move(done), allowed.error());
    impl->store.audit().Verify(anchor, std::move(done));
  };
  impl_->first_account.Require(caller, scopes::kAuditRead,
                               Callback<Status>(executor, std::move(verify)));
}

void Audit::Anchor(const Caller& caller, Callback<Result<store::AuditHead>> done) {
  Executor& executor = done.executor();
  auto answer = [impl = impl_, done = std::move(done)](Result<store::AuditHead> head) mutable {
    if (head) impl->LogHead(*head);
    std::move(done)(std::move(head));
  };
  auto read = [impl = impl_, head = Callback<Result<store::AuditHead>>(
                                 executor, std::move(answer))](Status allowed) mutable {
    if (!allowed) return std::move(head)(Failure(allowed.error()));
    impl->store.audit().ReadHead(std::move(head));
  };
  impl_->first_account.Require(caller, scopes::kAuditRead,
                               Callback<Status>(executor, std::move(read)));
}

void Audit::Prune(const Caller& caller, Millis older_than, Callback<Result<int64_t>> done) {
  if (auto allowed = RequireScope(caller, scopes::kAuditPrune); !allowed) {
    return Refuse(std::move(done), allowed.error());
  }
  if (auto valid = CheckPruneAge(older_than); !valid) {
    return Refuse(std::move(done), valid.error());
  }
  Executor& executor = done.executor();
  auto plan = [caller, older_than](store::Transaction& transaction) {
    return PlanPruning(transaction, caller, older_than);
  };
  auto answer = [done = std::move(done)](Result<store::Committed> committed) mutable {
    if (!committed) return Refuse(std::move(done), std::move(committed).error());
    std::move(done)(committed->pruned);
  };
  impl_->store.Commit(std::move(plan),
                      Callback<Result<store::Committed>>(executor, std::move(answer)));
}

void Audit::StartHourlyAnchor(Scheduler& scheduler) {
  scheduler.Post(impl_->WhileAlive([&scheduler](Impl& self) { self.AnchorHourly(scheduler); }));
}

}  // namespace p402::service
