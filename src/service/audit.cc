#include "service/audit.h"

#include <charconv>
#include <mutex>
#include <utility>

#include "key/digest.h"
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

std::optional<uint8_t> HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

Result<std::optional<key::Digest>> ParseAnchor(std::string_view hex) {
  if (hex.empty()) return std::nullopt;
  key::Digest digest{};
  bool is_good = hex.size() == 2 * digest.size();
  for (size_t i = 0; is_good && i < digest.size(); ++i) {
    const auto high = HexDigit(hex[2 * i]);
    const auto low = HexDigit(hex[2 * i + 1]);
    is_good = high && low;
    if (is_good) digest[i] = static_cast<uint8_t>(*high << 4 | *low);
  }
  if (!is_good) return InvalidArgument("anchor", "anchor must be 64 hexadecimal digits");
  return digest;
}

Status CheckMayList(const Caller& caller) {
  P402_TRY(RequireScope(*caller.record, scopes::kAuditRead));
  // A test key sees only test keys, and the records tell of live ones.
  return RequireFirstAccountScope(*caller.record, scopes::kAuditRead, /*is_first_account=*/true);
}

Result<store::AuditQuery> ToQuery(const Caller& caller, const AuditListRequest& request) {
  P402_TRY(CheckMayList(caller));
  P402_TRY(CheckPageLimit(request.limit));
  store::AuditQuery query{.account = caller.record->account,
                          .subject = request.subject,
                          .action = request.action,
                          .limit = request.limit + 1};
  if (!request.cursor.empty()) {
    query.before = ParseNumber(request.cursor);
    if (!query.before) return InvalidArgument("cursor", "cursor is not one of this list's");
  }
  return query;
}

}  // namespace

struct Audit::Impl : std::enable_shared_from_this<Audit::Impl> {
  Impl(store::Store& a_store, Log& a_log) : store(a_store), log(a_log), first_account(a_store) {}

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

Audit::Audit(store::Store& store, const Clock&, Log& log)
    : impl_(std::make_shared<Impl>(store, log)) {}

Audit::~Audit() {
  std::lock_guard lock(impl_->mutex);
  impl_->is_stopped = true;
}

void Audit::List(const Caller& caller, AuditListRequest request,
                 Callback<Result<AuditListResult>> done) {
  auto query = ToQuery(caller, request);
  if (!query) return Refuse(std::move(done), query.error());
  Executor& executor = done.executor();
  auto answer = [limit = request.limit,
                 done = std::move(done)](Result<std::vector<store::AuditRecord>> records) mutable {
    if (!records) return Refuse(std::move(done), records.error());
    AuditListResult result{.records = *std::move(records)};
    if (result.records.size() > limit) {
      result.records.resize(limit);
      result.next_cursor = std::to_string(result.records.back().number);
    }
    std::move(done)(std::move(result));
  };
  impl_->store.audit().List(*std::move(query), Callback<Result<std::vector<store::AuditRecord>>>(
                                                   executor, std::move(answer)));
}

void Audit::Verify(const Caller& caller, std::string anchor_hex,
                   Callback<Result<store::AuditVerdict>> done) {
  auto anchor = ParseAnchor(anchor_hex);
  if (!anchor) return Refuse(std::move(done), anchor.error());
  Executor& executor = done.executor();
  auto verify = [impl = impl_, anchor = *anchor, done = std::move(done)](Status allowed) mutable {
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

void Audit::Prune(const Caller& caller, WallTime before, Callback<Result<int64_t>> done) {
  Executor& executor = done.executor();
  auto prune = [impl = impl_, caller, before, done = std::move(done)](Status allowed) mutable {
    if (!allowed) return Refuse(std::move(done), allowed.error());
    impl->store.audit().Prune(before, AuditOf(caller, "audit.prune", {}, {}), std::move(done));
  };
  auto look = [impl = impl_, caller,
               next = Callback<Status>(executor, std::move(prune))](Status allowed) mutable {
    if (!allowed) return std::move(next)(std::move(allowed));
    CheckActorInStore(impl->store, caller, scopes::kAuditPrune, std::move(next));
  };
  impl_->first_account.Require(caller, scopes::kAuditPrune,
                               Callback<Status>(executor, std::move(look)));
}

void Audit::StartHourlyAnchor(Scheduler& scheduler) {
  scheduler.Post(impl_->WhileAlive([&scheduler](Impl& self) { self.AnchorHourly(scheduler); }));
}

}  // namespace p402::service
