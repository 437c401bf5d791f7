#include <algorithm>

#include "feed/feed_impl.h"

namespace p402::feed {
namespace {

constexpr size_t kScanPage = 1000;

}  // namespace

void Feed::Impl::Start(Callback<Status> done, std::optional<SnapshotSource> source) {
  if (state != State::kIdle) {
    return std::move(done)(Fail(ErrorCode::kConflict, "the feed was started before"));
  }
  state = State::kLoading;
  start_done = std::move(done);
  start_began = clock.Boot();
  scanned = {};
  gauges->loaded = 0;
  snapshot.reset();
  snapshot_source.reset();
  if (!source) return Count();
  snapshot_source.emplace(*std::move(source));
  OpenSnapshot();
}

void Feed::Impl::Count() {
  store.keys().Count(OnRead<int64_t>(&Impl::Count, [](Impl& self, int64_t count) {
    self.gauges->total = count;
    self.index.Reserve(static_cast<size_t>(std::max<int64_t>(count, 0)));
    self.ReadHead();
  }));
}

// The head is read before the first key: whatever changes during the scan comes after it in the log
// and is replayed. A key that the scan saw newer than the log entry stays as it is (Index::Put).
void Feed::Impl::ReadHead() {
  store.log().ReadHead(0, OnRead<store::Head>(&Impl::ReadHead, [](Impl& self, store::Head head) {
                         self.position = {.seq = head.seq, .tag = head.tag};
                         self.Scan();
                       }));
}

void Feed::Impl::Scan() {
  auto step = [](Impl& self, std::vector<key::Record> page) { self.OnPage(std::move(page)); };
  store.keys().Scan(scanned, kScanPage, OnRead<std::vector<key::Record>>(&Impl::Scan, step));
}

// The store reads the next page while this one goes into the index: at most two are in memory.
void Feed::Impl::OnPage(std::vector<key::Record> page) {
  const bool is_last = page.size() < kScanPage;
  if (!page.empty()) scanned = page.back().id;
  if (!is_last) Scan();
  index.Put(page);
  gauges->loaded += static_cast<int64_t>(page.size());
  gauges->keys = static_cast<int64_t>(index.size());
  if (!is_last) return;
  state = State::kReplaying;
  ReadLog();
}

void Feed::Impl::BecomeReady() {
  state = State::kReady;
  gauges->is_ready = true;
  gauges->is_current = true;
  const auto took = std::chrono::duration_cast<Millis>(clock.Boot() - start_began);
  log.Info("feed.ready", {{"keys", index.size()},
                          {"applied", position.seq},
                          {"from", started_from_snapshot > 0 ? "snapshot" : "store"},
                          {"took_ms", took.count()}});
  Obeyed();
  FinishStart({});
  Poll();
}

void Feed::Impl::FinishStart(Status status) {
  if (!start_done) return;
  auto done = std::move(*start_done);
  start_done.reset();
  std::move(done)(std::move(status));
}

}  // namespace p402::feed
