#include <fmt/format.h>

#include "feed/feed_impl.h"

// Starting from a snapshot of the index. It is a short cut and never an authority: whatever is
// wrong with it, the index is emptied and loaded from the store.
//
// Why a key that was revoked cannot come back to life by it. The snapshot says which store it is
// from, and has two places in its log. `from`: the index had every change up to there before the
// first key was written, so each key of the file is in its version at `from` or a later one.
// `through`: the index had no change after it when the last key was written. Both are looked up in
// this store's log. Tags are random, so if the log has `through`, then this history contains
// everything that the file can know; an older backup, whose log ends before or goes on differently,
// does not have it. If the log has `from`, it has every entry since (it is contiguous, and trimmed
// from the front only), and they are replayed: a revocation at or before `from` is in the file, one
// after it is in the replay, and until the end of the replay this node answers nothing.
namespace p402::feed {
namespace {

bool IsAt(const std::vector<store::Change>& changes, const index::LogPlace& place) {
  return !changes.empty() && changes.front().seq == place.seq && changes.front().tag == place.tag;
}

}  // namespace

void Feed::Impl::OpenSnapshot() {
  snapshot_source->executor.Post([self = shared_from_this()] {
    auto opened = index::SnapshotReader::Open(self->snapshot_source->file);
    self->scheduler.Post(self->Step([opened = std::move(opened)](Impl& impl) mutable {
      if (!opened) return impl.RejectSnapshot(opened.error());
      impl.snapshot = std::move(*opened);
      impl.CheckSnapshot();
    }));
  });
}

void Feed::Impl::CheckSnapshot() {
  const index::SnapshotLabel& label = snapshot->label();
  if (label.store != store.id()) {
    return RejectSnapshot({.code = ErrorCode::kConflict, .detail = "it is another store's"});
  }
  auto step = [](Impl& self, const std::vector<store::Change>& found) {
    if (IsAt(found, self.snapshot->label().through)) return self.CheckSnapshotStart();
    self.RejectStaleSnapshot();
  };
  store.log().Read(0, label.through.seq, 1,
                   OnRead<std::vector<store::Change>>(&Impl::CheckSnapshot, step));
}

void Feed::Impl::CheckSnapshotStart() {
  auto step = [](Impl& self, const std::vector<store::Change>& found) {
    const index::SnapshotLabel& label = self.snapshot->label();
    if (!IsAt(found, label.from)) return self.RejectStaleSnapshot();
    self.position = {.seq = label.from.seq, .tag = label.from.tag};
    self.gauges->total = static_cast<int64_t>(label.keys);
    self.index.Reserve(label.keys);
    self.ReadSnapshot();
  };
  store.log().Read(0, snapshot->label().from.seq, 1,
                   OnRead<std::vector<store::Change>>(&Impl::CheckSnapshotStart, step));
}

void Feed::Impl::ReadSnapshot() {
  snapshot_source->executor.Post([self = shared_from_this(), reader = snapshot] {
    auto block = reader->Next();
    self->scheduler.Post(self->Step([reader, block = std::move(block)](Impl& impl) mutable {
      // A block that was read ahead of one that was refused.
      if (impl.snapshot == reader) impl.OnSnapshotBlock(std::move(block));
    }));
  });
}

// The next block is read and checked while this one goes into the index.
void Feed::Impl::OnSnapshotBlock(Result<std::optional<index::KeyBlock>> block) {
  if (!block) return RejectSnapshot(block.error());
  if (!*block) {
    started_from_snapshot = position.seq;
    snapshot.reset();
    state = State::kReplaying;
    return ReadLog();
  }
  ReadSnapshot();
  const auto& keys = (*block)->keys;
  if (auto loaded = index.Load(keys); !loaded) return RejectSnapshot(loaded.error());
  gauges->loaded += static_cast<int64_t>(keys.size());
  gauges->keys = static_cast<int64_t>(index.size());
}

void Feed::Impl::RejectStaleSnapshot() {
  const index::SnapshotLabel& label = snapshot->label();
  RejectSnapshot({.code = ErrorCode::kConflict,
                  .detail = fmt::format("the log does not have its places {} and {}",
                                        label.from.seq, label.through.seq)});
}

void Feed::Impl::RejectSnapshot(const Error& error) {
  if (error.code != ErrorCode::kNotFound) {
    log.Warning("snapshot.rejected", {{"detail", error.detail}});
  }
  snapshot.reset();
  if (index.size() > 0) index.Clear();
  gauges->loaded = 0;
  gauges->keys = 0;
  Count();
}

}  // namespace p402::feed
