#include "feed/snapshot_writer.h"

#include <atomic>
#include <system_error>
#include <utility>

#include "index/snapshot.h"

namespace p402::feed {
namespace {

index::LogPlace PlaceOf(const Position& position) {
  return {.seq = position.seq, .tag = position.tag};
}

}  // namespace

// All work runs on the scheduler's thread.
struct SnapshotWriter::Impl : std::enable_shared_from_this<SnapshotWriter::Impl> {
  Impl(SnapshotOptions an_options, const Feed& a_feed, const index::Index& an_index,
       Scheduler& a_scheduler, const Clock& a_clock, Log& a_log)
      : options(std::move(an_options)),
        feed(a_feed),
        index(an_index),
        scheduler(a_scheduler),
        clock(a_clock),
        log(a_log) {}

  void Tick();
  Status WriteIfWorth();
  Status Write(const Position& from);
  Status CheckSpace() const;

  const SnapshotOptions options;
  const Feed& feed;
  const index::Index& index;
  Scheduler& scheduler;
  const Clock& clock;
  Log& log;
  std::atomic<bool> is_stopped{false};
  bool has_failed = false;   // the last one
  int64_t written_seq = -1;  // of the last one; -1: look at what the feed started from
};

void SnapshotWriter::Impl::Tick() {
  if (is_stopped) return;
  // Why it failed is in the log.
  [[maybe_unused]] const Status written = WriteIfWorth();
  scheduler.PostAfter(options.interval, [self = shared_from_this()] { self->Tick(); });
}

Status SnapshotWriter::Impl::WriteIfWorth() {
  const auto from = feed.position();
  if (!from) return {};
  if (written_seq < 0) written_seq = feed.started_from_snapshot();
  const auto keys = static_cast<int64_t>(index.size());
  if (from->seq - written_seq < options.min_changes + keys / options.keys_per_change) return {};
  const BootTime began = clock.Boot();
  Status status = Write(*from);
  const auto took = std::chrono::duration_cast<Millis>(clock.Boot() - began);
  if (status) {
    has_failed = false;
    written_seq = from->seq;
    log.Info("snapshot.written", {{"keys", keys}, {"seq", from->seq}, {"took_ms", took.count()}});
  } else if (!is_stopped && !std::exchange(has_failed, true)) {
    log.Warning("snapshot.write_failed", {{"detail", status.error().detail}});
  }
  return status;
}

// A change that is applied while the keys are walked may be in the file or not; it is after `from`
// and not after `through`. See feed_snapshot.cc for why that is enough.
Status SnapshotWriter::Impl::Write(const Position& from) {
  P402_TRY(CheckSpace());
  P402_TRY(auto file, index::SnapshotFileWriter::Create(options.file));
  P402_TRY(index::WriteKeys(index, *file, [this] { return is_stopped.load(); }));
  const auto through = feed.position();
  if (!through) return Fail(ErrorCode::kUnavailable, "the feed is not current any more");
  return file->Finish(
      {.store = options.store, .from = PlaceOf(from), .through = PlaceOf(*through)});
}

// The last bytes of a disk are for changes.
Status SnapshotWriter::Impl::CheckSpace() const {
  const index::MemoryUse use = index.memory_use();
  std::error_code error;
  const auto space = std::filesystem::space(options.file.parent_path(), error);
  if (error) return Fail(ErrorCode::kIo, "space: " + error.message());
  if (space.available / 2 > use.cells + use.facts) return {};
  return Fail(ErrorCode::kResourceExhausted, "the disk has too little room for a snapshot");
}

SnapshotWriter::SnapshotWriter(SnapshotOptions options, const Feed& feed, const index::Index& index,
                               Scheduler& scheduler, const Clock& clock, Log& log)
    : impl_(std::make_shared<Impl>(std::move(options), feed, index, scheduler, clock, log)) {}

SnapshotWriter::~SnapshotWriter() {
  impl_->is_stopped = true;
}

void SnapshotWriter::Start() {
  impl_->scheduler.PostAfter(impl_->options.interval, [impl = impl_] { impl->Tick(); });
}

void SnapshotWriter::Flush(Callback<Status> done) {
  impl_->scheduler.Post(
      [impl = impl_, done = std::move(done)]() mutable { std::move(done)(impl->WriteIfWorth()); });
}

}  // namespace p402::feed
