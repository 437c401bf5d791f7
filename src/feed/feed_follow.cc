#include <algorithm>

#include "feed/feed_impl.h"

namespace p402::feed {
namespace {

constexpr size_t kLogBatch = 1000;
// What nobody waits for is still applied this soon: a commit whose outcome the store could not
// tell.
constexpr Millis kPollInterval{100};
constexpr Millis kFirstRetry{10};
constexpr Millis kLongestRetry{1000};
// After so many failed reads in a row (0.3 s of retries) those who wait are told.
constexpr int kFailuresBeforeAnswer = 6;

}  // namespace

void Feed::Impl::ReadLog() {
  if (is_reading) return;
  is_reading = true;
  read_covers = awaited();
  auto step = [](Impl& self, const std::vector<store::Change>& batch) { self.OnLog(batch); };
  store.log().Read(0, position.read_from(), kLogBatch,
                   OnRead<std::vector<store::Change>>(&Impl::ReadLog, step));
}

void Feed::Impl::OnLog(const std::vector<store::Change>& batch) {
  is_reading = false;
  const int64_t before = position.seq;
  auto fresh = position.NewIn(batch);
  if (!fresh) return BecomeCorrupt(fresh.error());
  for (const auto& change : *fresh) {
    if (auto applied = Apply(change); !applied) return BecomeCorrupt(applied.error());
    if (state == State::kStopped) return;  // by a subscriber
  }
  Obeyed();
  if (state == State::kReplaying) {
    if (batch.size() < kLogBatch) return BecomeReady();
    return ReadLog();
  }
  // Without progress only a later wish is worth another read at once; Poll sees to the rest.
  if (position.seq > before || awaited() > read_covers) ReadIfAwaited();
}

// The index first, then whatever else on this node must obey.
Status Feed::Impl::Apply(const store::Change& change) {
  std::optional<key::Record> record;
  if (!change.payload.empty()) {
    P402_TRY(record, key::DecodeRecord(change.payload));
    if (record->id.ToString() != change.subject || record->account != change.account) {
      return Fail(ErrorCode::kCorrupt, "the log's entry is about another key than it says");
    }
    record->version = change.seq;
    index.Put(*record);
  }
  position = {.seq = change.seq, .tag = change.tag};
  gauges->applied = change.seq;
  gauges->keys = static_cast<int64_t>(index.size());
  subscriptions.Deliver(change, record ? &*record : nullptr,
                        [this](uint64_t subscription, int64_t seq) {
                          // Posted, not done: a subscriber may hold a lock that it needs in
                          // OnChange.
                          return [self = shared_from_this(), subscription, seq] {
                            if (self->gauges->is_stopped) return;
                            self->scheduler.Post(self->Step([subscription, seq](Impl& impl) {
                              impl.subscriptions.Acknowledged(subscription, seq);
                              impl.Obeyed();
                            }));
                          };
                        });
  return {};
}

// A store that says that it is damaged is believed: what the log holds is then unknown.
void Feed::Impl::OnReadError(const Error& error, void (Impl::*again)()) {
  is_reading = false;
  if (error.code == ErrorCode::kCorrupt) return BecomeCorrupt(error);
  if (failures++ == 0) log.Warning("feed.read_failed", {{"detail", error.detail}});
  if (failures >= kFailuresBeforeAnswer) {
    FailWaiters({.code = ErrorCode::kUnavailable, .detail = "cannot read: " + error.detail});
    if (start_done) {
      state = State::kIdle;
      failures = 0;
      return FinishStart(Failure(error));
    }
  }
  const auto delay = std::min(kFirstRetry * (1 << std::min(failures - 1, 10)), kLongestRetry);
  scheduler.PostAfter(delay, Step([again](Impl& self) {
                        if (self.state != State::kCorrupt) (self.*again)();
                      }));
}

void Feed::Impl::BecomeCorrupt(const Error& error) {
  if (state == State::kCorrupt) return;
  state = State::kCorrupt;
  gauges->is_ready = false;
  gauges->is_current = false;
  log.Error("feed.corrupt", {{"detail", error.detail}, {"applied", position.seq}});
  FailWaiters(error);
  FinishStart(Failure(error));
}

void Feed::Impl::Poll() {
  if (state != State::kReady) return;
  if (failures == 0) ReadLog();
  scheduler.PostAfter(kPollInterval, Step([](Impl& self) { self.Poll(); }));
}

}  // namespace p402::feed
