#include "service/usage.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "base/limits.h"

namespace p402::service {
namespace {

constexpr size_t kMarksPerTick =
    limits::kUsageMarksPerSecond * limits::kUsageFlushInterval.count() / 1000;

}  // namespace

// All work runs under `mutex`, on the scheduler's thread. One write is under way at a time.
struct UsageWriter::Impl : std::enable_shared_from_this<UsageWriter::Impl> {
  Impl(index::Index& an_index, store::Store& a_store, Scheduler& a_scheduler, const Clock& a_clock,
       Log& a_log, Metrics& metrics)
      : index(an_index),
        store(a_store),
        scheduler(a_scheduler),
        clock(a_clock),
        log(a_log),
        written(metrics.counter("p402_usage_written_total", "Uses of keys that were stored")),
        last_tick(a_clock.Now()),
        complete_through(a_clock.Now()) {}

  void AddGauges(Metrics& metrics);
  void Tick();
  void Write();
  void OnWritten(const std::vector<index::Mark>& marks, WallTime through, const Status& status);
  void Flush(Callback<Status> done);
  void EndFlush(const Status& status);

  template <class F>
  Task Step(F step) {
    return [self = shared_from_this(), step = std::move(step)]() mutable {
      std::lock_guard lock(self->mutex);
      if (!self->is_stopped) step(*self);
    };
  }

  index::Index& index;
  store::Store& store;
  Scheduler& scheduler;
  const Clock& clock;
  Log& log;
  Counter& written;

  std::mutex mutex;
  bool is_stopped = false;
  bool is_writing = false;
  bool has_failed = false;  // the last write
  // A verification reads the clock shortly before it marks. What was used before the previous tick
  // is marked by now.
  WallTime last_tick;
  WallTime settled{};
  std::vector<Callback<Status>> flushes;
  std::atomic<WallTime> complete_through;
};

void UsageWriter::Impl::AddGauges(Metrics& metrics) {
  auto read = [weak = weak_from_this()](auto value) {
    return [weak, value]() -> double {
      auto self = weak.lock();
      if (!self) return 0;
      std::lock_guard lock(self->mutex);
      return self->is_stopped ? 0 : static_cast<double>(value(*self));
    };
  };
  metrics.AddGauge("p402_usage_waiting_marks", "Keys whose last use waits to be stored", {},
                   read([](Impl& self) { return self.index.waiting_marks(); }));
  metrics.AddGauge("p402_usage_lag_seconds", "Age of the oldest use that is not stored", {},
                   read([](Impl& self) {
                     const auto oldest = self.index.OldestWaitingMark();
                     if (!oldest) return 0.0;
                     const std::chrono::duration<double> lag = self.clock.Now() - *oldest;
                     return std::max(0.0, lag.count());
                   }));
}

void UsageWriter::Impl::Tick() {
  settled = std::exchange(last_tick, clock.Now());
  if (!is_writing) Write();
  scheduler.PostAfter(limits::kUsageFlushInterval, Step([](Impl& self) { self.Tick(); }));
}

void UsageWriter::Impl::Write() {
  auto marks = index.TakeMarks(kMarksPerTick);
  const auto oldest = index.OldestWaitingMark();
  const WallTime through = oldest ? std::min(*oldest, settled) : settled;
  if (marks.empty()) return OnWritten({}, through, {});
  is_writing = true;
  std::vector<store::UsageMark> rows;
  rows.reserve(marks.size());
  for (const auto& mark : marks) rows.push_back({.key = mark.key, .at = mark.at});
  store.usage().Write(std::move(rows), Callback<Status>(scheduler, [self = shared_from_this(),
                                                                    marks = std::move(marks),
                                                                    through](const Status& status) {
                        std::lock_guard lock(self->mutex);
                        self->is_writing = false;
                        if (!self->is_stopped) self->OnWritten(marks, through, status);
                      }));
}

void UsageWriter::Impl::OnWritten(const std::vector<index::Mark>& marks, WallTime through,
                                  const Status& status) {
  if (!status) {
    if (!std::exchange(has_failed, true)) {
      log.Warning("usage.write_failed",
                  {{"detail", status.error().detail}, {"marks", marks.size()}});
    }
    index.ReturnMarks(marks);
    return EndFlush(status);
  }
  has_failed = false;
  written.Add(marks.size());
  complete_through = std::max(complete_through.load(), through);
  if (flushes.empty()) return;
  if (index.waiting_marks() == 0) return EndFlush({});
  Write();
}

// A write that is under way goes first; then whatever waits, without the rate bound.
void UsageWriter::Impl::Flush(Callback<Status> done) {
  flushes.push_back(std::move(done));
  if (!is_writing) Write();
}

void UsageWriter::Impl::EndFlush(const Status& status) {
  for (auto& done : std::exchange(flushes, {})) std::move(done)(status);
}

UsageWriter::UsageWriter(index::Index& index, store::Store& store, Scheduler& scheduler,
                         const Clock& clock, Log& log, Metrics& metrics)
    : impl_(std::make_shared<Impl>(index, store, scheduler, clock, log, metrics)) {
  impl_->AddGauges(metrics);
}

UsageWriter::~UsageWriter() {
  std::lock_guard lock(impl_->mutex);
  impl_->is_stopped = true;
  impl_->EndFlush(Fail(ErrorCode::kUnavailable, "the usage writer is stopped"));
}

void UsageWriter::Start() {
  impl_->scheduler.PostAfter(limits::kUsageFlushInterval,
                             impl_->Step([](Impl& self) { self.Tick(); }));
}

void UsageWriter::Flush(Callback<Status> done) {
  impl_->scheduler.Post([impl = impl_, done = std::move(done)]() mutable {
    std::lock_guard lock(impl->mutex);
    if (impl->is_stopped) {
      return std::move(done)(Fail(ErrorCode::kUnavailable, "the usage writer is stopped"));
    }
    impl->Flush(std::move(done));
  });
}

WallTime UsageWriter::complete_through() const {
  return impl_->complete_through.load();
}

}  // namespace p402::service
