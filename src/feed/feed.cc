#include "feed/feed.h"

#include "feed/feed_impl.h"

namespace p402::feed {
namespace {

Error Stopped() {
  return {.code = ErrorCode::kUnavailable, .detail = "the feed is stopped"};
}
Error Corrupt() {
  return {.code = ErrorCode::kCorrupt, .detail = "the feed is corrupt"};
}

}  // namespace

Feed::Impl::Impl(store::Store& a_store, index::Index& an_index, Scheduler& a_scheduler,
                 const Clock& a_clock, Log& a_log, Metrics& metrics)
    : store(a_store),
      index(an_index),
      scheduler(a_scheduler),
      clock(a_clock),
      log(a_log),
      barrier_seconds(metrics.histogram("p402_feed_barrier_seconds",
                                        "From the wish for a barrier to its completion")) {
  metrics.AddGauge("p402_feed_applied_seq", "The last change that this node has applied", {},
                   [g = gauges] { return static_cast<double>(g->applied.load()); });
  metrics.AddGauge("p402_index_keys", "Keys in this node's memory", {},
                   [g = gauges] { return static_cast<double>(g->keys.load()); });
}

void Feed::Impl::AddWaiter(int64_t seq, Waiter waiter) {
  if (state == State::kCorrupt) return std::move(waiter.done)(Failure(Corrupt()));
  if (state == State::kReady && gauges->obeyed >= seq) return Complete(std::move(waiter));
  waiters.emplace(seq, std::move(waiter));
  ReadIfAwaited();
}

// Completes what the state allows: applied here, and obeyed by every subscriber.
void Feed::Impl::Obeyed() {
  gauges->applied = position.seq;
  gauges->obeyed.store(subscriptions.ObeyedThrough(position.seq), std::memory_order_release);
  if (state != State::kReady) return;
  while (!waiters.empty() && waiters.begin()->first <= gauges->obeyed) {
    Complete(std::move(waiters.extract(waiters.begin()).mapped()));
  }
}

// One read serves every barrier that was waiting when it began.
void Feed::Impl::ReadIfAwaited() {
  if (state == State::kReady && failures == 0 && awaited() > position.seq) ReadLog();
}

void Feed::Impl::FailWaiters(const Error& error) {
  auto failed = std::move(waiters);
  waiters.clear();
  for (auto& [seq, waiter] : failed) std::move(waiter.done)(Failure(error));
}

void Feed::Impl::Complete(Waiter waiter) {
  const auto took = clock.Boot() - waiter.began;
  barrier_seconds.Observe(std::chrono::duration<double>(took).count());
  std::move(waiter.done)(
      BarrierReport{.acknowledged = 1, .took = std::chrono::duration_cast<Millis>(took)});
}

void Feed::Impl::Stop() {
  std::lock_guard lock(mutex);
  if (state == State::kStopped) return;
  state = State::kStopped;
  gauges->is_current = false;
  gauges->is_ready = false;
  gauges->is_stopped = true;
  FailWaiters(Stopped());
  FinishStart(Failure(Stopped()));
}

Feed::Feed(store::Store& store, index::Index& index, Scheduler& scheduler, const Clock& clock,
           Log& log, Metrics& metrics)
    : impl_(std::make_shared<Impl>(store, index, scheduler, clock, log, metrics)) {}

Feed::~Feed() {
  Stop();
}

void Feed::Start(Callback<Status> done, std::optional<SnapshotSource> snapshot) {
  impl_->scheduler.Post(
      [impl = impl_, done = std::move(done), snapshot = std::move(snapshot)]() mutable {
        std::lock_guard lock(impl->mutex);
        if (impl->state == State::kStopped) return std::move(done)(Failure(Stopped()));
        impl->Start(std::move(done), std::move(snapshot));
      });
}

void Feed::Stop() {
  impl_->Stop();
}

void Feed::Barrier(int64_t seq, Callback<Result<BarrierReport>> done) {
  Waiter waiter{.began = impl_->clock.Boot(), .done = std::move(done)};
  if (is_current() && impl_->gauges->obeyed.load(std::memory_order_acquire) >= seq) {
    return impl_->Complete(std::move(waiter));
  }
  impl_->scheduler.Post([impl = impl_, seq, waiter = std::move(waiter)]() mutable {
    std::lock_guard lock(impl->mutex);
    if (impl->state == State::kStopped) return std::move(waiter.done)(Failure(Stopped()));
    impl->AddWaiter(seq, std::move(waiter));
  });
}

std::vector<std::string> Feed::Pending(int64_t seq) const {
  if (is_current() && impl_->gauges->obeyed.load(std::memory_order_acquire) >= seq) return {};
  return {impl_->node_id};
}

void Feed::Subscribe(Subscriber& subscriber) {
  std::lock_guard lock(impl_->mutex);
  impl_->subscriptions.Add(subscriber);
}

void Feed::Unsubscribe(Subscriber& subscriber) {
  std::lock_guard lock(impl_->mutex);
  impl_->subscriptions.Remove(subscriber);
  if (impl_->state != State::kStopped) impl_->Obeyed();
}

bool Feed::is_current() const {
  return impl_->gauges->is_current.load();
}

Progress Feed::progress() const {
  const Gauges& gauges = *impl_->gauges;
  return {.loaded = gauges.loaded,
          .total = gauges.total,
          .applied = gauges.applied,
          .is_ready = gauges.is_ready};
}

std::optional<Position> Feed::position() const {
  // Changes are applied under the lock: what is seen here is between two of them.
  std::lock_guard lock(impl_->mutex);
  if (!is_current()) return std::nullopt;
  return impl_->position;
}

int64_t Feed::started_from_snapshot() const {
  return impl_->started_from_snapshot;
}

const std::string& Feed::node_id() const {
  return impl_->node_id;
}

}  // namespace p402::feed
