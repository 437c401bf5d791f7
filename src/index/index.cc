#include "index/index.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/limits.h"
#include "index/directory.h"
#include "index/homes.h"
#include "index/populator.h"
#include "index/readers.h"
#include "index/tables.h"
#include "key/digest.h"
#include "key/raw_key.h"

namespace p402::index {
namespace {

// Of many keys at once, the lines of memory that one needs are asked for so many keys ahead.
constexpr size_t kAhead = 16;

uint64_t WordAt(const uint8_t* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}
// Without a branch for each part: it is nearly always true.
bool AreEqual(const key::Digest& a, const key::Digest& b) {
  uint64_t difference = 0;
  for (size_t at = 0; at < a.size(); at += sizeof difference) {
    difference |= WordAt(a.data() + at) ^ WordAt(b.data() + at);
  }
  return difference == 0;
}
Place PlaceOf(const key::Digest& digest) {
  return Place::Of(WordAt(digest.data()));
}
// A UUID has a time and counted bits: multiplied, so that every bit reaches the upper ones.
Place PlaceOf(const key::KeyId& id) {
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;  // 2^64 by the golden ratio
  const uint64_t low = WordAt(id.uuid.data() + 8) * kOdd;
  const uint64_t mixed = (low ^ low >> 32 ^ WordAt(id.uuid.data())) * kOdd;
  return Place::Of((mixed ^ mixed >> 32) * kOdd);
}

uint32_t DeadlineOf(const std::optional<WallTime>& expires_at) {
  return expires_at ? DeadlineSecond(*expires_at) : UINT32_MAX;
}

size_t LimitBytes(State state, const std::byte* facts) {
  return (state.has(State::kExpires) ? sizeof(int64_t) : 0) + CidrsIn(facts).size_bytes();
}

// What is known after `next` was put over `known`, of which one is newer and one is revoked.
key::Record Fold(key::Record known, const key::Record& next) {
  const bool is_newer = next.version > known.version;
  key::Record folded = is_newer ? next : known;
  if (!folded.revoked_at) {
    const key::Record& revoked = is_newer ? known : next;
    folded.revoked_at = revoked.revoked_at;
    folded.revoke_reason = revoked.revoke_reason;
  }
  return folded;
}

}  // namespace

// Lock order: `writer`, then those of the marks.
//
// How a version is replaced: the new facts and terms are written where nobody looks; one store of
// the cell's state shows them; the old ones go to the limbo, until every reader that may have the
// old state has left. A new cell is written before a slot refers to it.
struct Index::Impl {
  explicit Impl(std::string a_brand) : brand(std::move(a_brand)) {}

  uint32_t FindCell(const key::KeyId& id) const;
  uint32_t FindCell(const key::Digest& digest) const;
  void Prefetch(const key::Digest& digest) const {
    homes.Prefetch(tables.cells, digest);
    by_digest.Prefetch(PlaceOf(digest));
  }
  // All of these: under `writer`.
  void Expect(const key::KeyId& id, const key::Digest& digest) const;
  uint32_t NewCell(const key::KeyId& id, const key::Digest* digest);
  uint32_t CellFor(const key::KeyId& id, const key::Digest* digest);
  void GiveBack(uint32_t number);
  void Apply(uint32_t number, const key::Record& record);
  State Write(const key::Record& record);
  void PutOne(const key::Record& record);
  void Show(uint32_t number, const key::Record& record);
  void Move(uint32_t number, const key::Record& record);
  void Hide(uint32_t number);
  void Release(State state);
  void Forget();
  bool Restore(const KeyImage& image);
  key::Record Known(uint32_t number) const;

  const std::string brand;
  mutable Readers readers;
  mutable Tables tables;
  mutable Marks marks{tables.cells};
  std::atomic<size_t> size{0};

  std::mutex writer;
  Limbo limbo{readers};
  Homes homes;
  Directory by_digest{limbo};
  Directory by_id{limbo};
  std::vector<uint32_t> free_cells;
  size_t limit_bytes = 0;
  std::string scratch;
  Populator populator;  // stops before the memory goes
};

uint32_t Index::Impl::FindCell(const key::KeyId& id) const {
  return by_id.Find(PlaceOf(id), [&](uint32_t number) { return tables.cells[number].id == id; });
}

// Not in constant time: who presents a key does not know the digests that are close to its own, and
// cannot make a key with a digest of his choice.
uint32_t Index::Impl::FindCell(const key::Digest& digest) const {
  return by_digest.Find(PlaceOf(digest), [&](uint32_t number) {
    return AreEqual(tables.cells[number].digest, digest);
  });
}

// Asks for the lines of memory that a key will need that is not known yet.
void Index::Impl::Expect(const key::KeyId& id, const key::Digest& digest) const {
  by_id.Prefetch(PlaceOf(id));
  by_digest.Prefetch(PlaceOf(digest));
  if (const uint32_t number = homes.Next(digest); number != 0) tables.cells.PrefetchToWrite(number);
}

// Null for `digest`: not known yet.
uint32_t Index::Impl::NewCell(const key::KeyId& id, const key::Digest* digest) {
  uint32_t number = digest == nullptr ? 0 : homes.Take(*digest);
  if (number == 0 && free_cells.empty()) {
    number = tables.cells.Append();
  } else if (number == 0) {
    number = free_cells.back();
    free_cells.pop_back();
  }
  tables.cells[number].id = id;
  return number;
}

// A key that is not known (any more) has a cell if a mark waits for it.
uint32_t Index::Impl::CellFor(const key::KeyId& id, const key::Digest* digest) {
  uint32_t number = FindCell(id);
  if (number != 0) return number;
  number = NewCell(id, digest);
  by_id.Insert(PlaceOf(id), number);
  return number;
}

// Requires: no reader sees the cell.
void Index::Impl::GiveBack(uint32_t number) {
  if (!homes.GiveBack(number)) free_cells.push_back(number);
}

key::Record Index::Impl::Known(uint32_t number) const {
  const Cell& cell = tables.cells[number];
  return View({}, tables, cell, State(cell.state.load())).Materialize();
}

void Index::Impl::Apply(uint32_t number, const key::Record& record) {
  const Cell& cell = tables.cells[number];
  const State known(cell.state.load());
  if (!known.is_known()) {
    size.fetch_add(1, std::memory_order_relaxed);
    return Show(number, record);
  }
  const bool is_newer = record.version > VersionIn(tables.facts.At(known.facts()));
  const bool was_revoked = known.has(State::kRevoked);
  const bool revokes = record.revoked_at && !was_revoked;
  if (!is_newer && !revokes) return;
  const bool is_plain = is_newer && (!was_revoked || record.revoked_at);
  const key::Record& folded = is_plain ? record : Fold(Known(number), record);
  if (folded.digest != cell.digest) return Move(number, folded);
  tables.cells[number].Show(Write(folded), DeadlineOf(folded.expires_at));
  Release(known);
}

// The facts and terms of a version, in memory but not in sight.
State Index::Impl::Write(const key::Record& record) {
  EncodeFacts(record, scratch);
  const uint32_t facts = tables.facts.Allocate(scratch.size());
  std::memcpy(tables.facts.At(facts), scratch.data(), scratch.size());
  uint64_t flags = 0;
  if (record.mode == key::Mode::kTest) flags |= State::kTest;
  if (record.revoked_at) flags |= State::kRevoked;
  if (record.is_disabled) flags |= State::kDisabled;
  if (record.expires_at) flags |= State::kExpires;
  if (!record.allowed_cidrs.empty()) flags |= State::kHasCidrs;
  const State state(flags, tables.terms.Use(record.account, record.scopes.ToString()), facts);
  limit_bytes += LimitBytes(state, tables.facts.At(facts));
  return state;
}

// Fills a cell that no digest leads to yet.
void Index::Impl::Show(uint32_t number, const key::Record& record) {
  Cell& cell = tables.cells[number];
  cell.digest = record.digest;
  cell.Show(Write(record), DeadlineOf(record.expires_at));
  const uint32_t other = FindCell(record.digest);
  if (other == 0) {
    by_digest.Insert(PlaceOf(record.digest), number);
  } else {
    by_digest.Replace(PlaceOf(record.digest), other, number);
  }
}

// Takes a cell out of the sight of Verify, unless another key has taken its digest.
void Index::Impl::Hide(uint32_t number) {
  const key::Digest& digest = tables.cells[number].digest;
  if (FindCell(digest) == number) by_digest.Remove(PlaceOf(digest), number);
}

// A cell's digest never changes, so the key gets another cell. The uses in the old one are complete
// when its readers have left.
void Index::Impl::Move(uint32_t number, const key::Record& record) {
  const State old(tables.cells[number].state.load());
  Hide(number);
  const uint32_t moved = NewCell(record.id, &record.digest);
  Show(moved, record);
  by_id.Replace(PlaceOf(record.id), number, moved);
  limbo.Drain();
  marks.Move(number, moved);
  tables.cells[number].state.store(0);
  Release(old);
  // A walk may have come to it just before.
  limbo.Add([this, number] { GiveBack(number); });
}

void Index::Impl::Release(State state) {
  limit_bytes -= LimitBytes(state, tables.facts.At(state.facts()));
  limbo.Add([this, facts = state.facts()] {
    tables.facts.Free(facts, FactsSize(tables.facts.At(facts)));
  });
  if (tables.terms.Drop(state.terms())) {
    limbo.Add([this, terms = state.terms()] { tables.terms.Free(terms); });
  }
}

void Index::Impl::Forget() {
  tables.terms.Clear();
  tables.cells.Clear();
  homes.Clear();
  tables.facts.Clear();
  free_cells.clear();
  limit_bytes = 0;
}

// False: the id or the digest is known.
bool Index::Impl::Restore(const KeyImage& image) {
  uint32_t number = FindCell(image.id);
  if (number != 0 && State(tables.cells[number].state.load()).is_known()) return false;
  if (FindCell(image.digest) != 0) return false;
  if (number == 0) {
    number = NewCell(image.id, &image.digest);
    by_id.Insert(PlaceOf(image.id), number);
  }
  const uint32_t facts = tables.facts.Allocate(image.facts.size());
  std::byte* bytes = tables.facts.At(facts);
  std::memcpy(bytes, image.facts.data(), image.facts.size());
  uint64_t flags = 0;
  if (image.is_test) flags |= State::kTest;
  if (image.is_disabled) flags |= State::kDisabled;
  if (RevokedIn(bytes)) flags |= State::kRevoked;
  if (ExpiresIn(bytes)) flags |= State::kExpires;
  if (!CidrsIn(bytes).empty()) flags |= State::kHasCidrs;
  const State state(flags, tables.terms.Use(image.account, image.scopes), facts);
  limit_bytes += LimitBytes(state, bytes);
  Cell& cell = tables.cells[number];
  cell.digest = image.digest;
  cell.Show(state,
            DeadlineOf(state.has(State::kExpires) ? std::optional(ExpiryIn(bytes)) : std::nullopt));
  by_digest.Insert(PlaceOf(image.digest), number);
  size.fetch_add(1, std::memory_order_relaxed);
  return true;
}

Index::Index(std::string brand) : impl_(std::make_unique<Impl>(std::move(brand))) {}
Index::~Index() = default;

void Index::Impl::PutOne(const key::Record& record) {
  const uint32_t number = CellFor(record.id, &record.digest);
  if (record.last_used_at) Marks::Raise(tables.cells[number], *record.last_used_at);
  Apply(number, record);
}

void Index::Put(const key::Record& record) {
  Put({&record, 1});
}

void Index::Put(std::span<const key::Record> records) {
  std::lock_guard lock(impl_->writer);
  for (size_t i = 0; i < records.size(); ++i) {
    if (i + kAhead < records.size()) {
      impl_->Expect(records[i + kAhead].id, records[i + kAhead].digest);
    }
    impl_->PutOne(records[i]);
  }
  impl_->limbo.Poll();
}

void Index::Reserve(size_t keys) {
  std::lock_guard lock(impl_->writer);
  if (impl_->tables.cells.end() > 1) return;
  impl_->homes.Reserve(impl_->tables.cells, keys);
  impl_->by_digest.Reserve(keys);
  impl_->by_id.Reserve(keys);
  if (keys < kKeysToPopulate) return;
  // What is touched at random comes last, and so first.
  impl_->tables.facts.PopulateAhead(impl_->populator);
  impl_->tables.cells.Populate(impl_->populator);
  impl_->by_digest.Populate(impl_->populator);
  impl_->by_id.Populate(impl_->populator);
}

Status Index::Load(std::span<const KeyImage> keys) {
  std::lock_guard lock(impl_->writer);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i + kAhead < keys.size()) impl_->Expect(keys[i + kAhead].id, keys[i + kAhead].digest);
    if (!impl_->Restore(keys[i])) {
      return Fail(ErrorCode::kCorrupt, "the snapshot is damaged: a key that is there twice");
    }
  }
  impl_->limbo.Poll();
  return {};
}

void Index::Clear() {
  std::lock_guard lock(impl_->writer);
  impl_->populator.Stop();
  impl_->size.store(0, std::memory_order_relaxed);
  impl_->by_digest.Clear();
  impl_->by_id.Clear();
  impl_->limbo.Drain();
  impl_->marks.Rehome([this] { impl_->Forget(); },
                      [this](const key::KeyId& id) { return impl_->CellFor(id, nullptr); });
}

Answer Index::Decide(const key::Digest& digest, const key::Question& question, WallTime now,
                     bool marks_use) const {
  auto pin = impl_->readers.Enter();
  const uint32_t number = impl_->FindCell(digest);
  if (number == 0) return {};
  const Cell& cell = impl_->tables.cells[number];
  const Version version = cell.Read();
  if (!version.state.is_known()) return {};  // no digest leads to such a cell
  const auto decision = key::Decide(Subject(impl_->tables, version), question, now);
  if (decision == key::Decision::kNotFound) return {};
  if (decision == key::Decision::kValid && marks_use) impl_->marks.Use(number, now);
  return {.decision = decision, .key = View(std::move(pin), impl_->tables, cell, version.state)};
}

Answer Index::Verify(std::string_view presented, const key::Question& question, WallTime now,
                     bool marks_use) {
  if (presented.size() > limits::kRawKeyMaxBytes) return {.decision = key::Decision::kMalformed};
  // The memory has what it was asked for by the time that the text is checked: K3 forbids to look at
  // it for a wrong checksum, not to have it ready.
  const key::Digest digest = key::DigestOf(presented);
  impl_->Prefetch(digest);
  if (!key::ParseRawKey(presented, impl_->brand)) return {.decision = key::Decision::kMalformed};
  return Decide(digest, question, now, marks_use);
}

Answer Index::Recheck(const key::Digest& digest, const key::Question& question,
                      WallTime now) const {
  impl_->Prefetch(digest);
  return Decide(digest, question, now, /*marks_use=*/false);
}

View Index::ViewOf(const key::KeyId& id) const {
  auto pin = impl_->readers.Enter();
  const uint32_t number = impl_->FindCell(id);
  if (number == 0) return {};
  const Cell& cell = impl_->tables.cells[number];
  const State state(cell.state.load());
  if (!state.is_known()) return {};
  return View(std::move(pin), impl_->tables, cell, state);
}

std::shared_ptr<const key::Record> Index::Find(const key::KeyId& id) const {
  const View view = ViewOf(id);
  return view ? std::make_shared<const key::Record>(view.Materialize()) : nullptr;
}

size_t Index::size() const {
  return impl_->size.load(std::memory_order_relaxed);
}

MemoryUse Index::memory_use() const {
  std::lock_guard lock(impl_->writer);
  const Tables& tables = impl_->tables;
  MemoryUse use{.cells = tables.cells.bytes(),
                .directories = impl_->by_digest.bytes() + impl_->by_id.bytes(),
                .shared = tables.terms.bytes(),
                .limits = impl_->limit_bytes};
  use.facts = tables.facts.mapped_bytes() - use.limits - tables.terms.text_bytes();
  return use;
}

std::optional<WallTime> Index::LastUsed(const key::KeyId& id) const {
  const auto pin = impl_->readers.Enter();
  const uint32_t number = impl_->FindCell(id);
  if (number == 0) return std::nullopt;
  return Marks::LastUsed(impl_->tables.cells[number]);
}

std::vector<Mark> Index::TakeMarks(size_t limit) {
  return impl_->marks.Take(limit);
}

void Index::ReturnMarks(const std::vector<Mark>& marks) {
  std::lock_guard lock(impl_->writer);
  for (const Mark& mark : marks) {
    impl_->marks.Return(impl_->CellFor(mark.key, nullptr), mark.at, mark.since.value_or(mark.at));
  }
}

size_t Index::waiting_marks() const {
  return impl_->marks.waiting();
}

std::optional<WallTime> Index::OldestWaitingMark() const {
  return impl_->marks.Oldest();
}

uint32_t Index::Walk(uint32_t from, uint32_t cells,
                     const std::function<void(const View&)>& visit) const {
  uint32_t end = 0;
  {
    std::lock_guard lock(impl_->writer);
    end = impl_->tables.cells.end();
  }
  const uint32_t until = end - from < cells ? end : from + cells;
  for (uint32_t number = from; number < until; ++number) {
    auto pin = impl_->readers.Enter();
    if (number + kAhead < until) {
      // Only a hint: what it leads to may have been freed.
      const State next(impl_->tables.cells[number + kAhead].state.load());
      __builtin_prefetch(impl_->tables.facts.At(next.facts()));
    }
    const Cell& cell = impl_->tables.cells[number];
    const State state(cell.state.load());
    if (state.is_known()) visit(View(std::move(pin), impl_->tables, cell, state));
  }
  return until == end ? 0 : until;
}

std::vector<key::Record> Index::Dump() const {
  std::vector<key::Record> records;
  std::lock_guard lock(impl_->writer);
  for (uint32_t number = 1; number < impl_->tables.cells.end(); ++number) {
    if (State(impl_->tables.cells[number].state.load()).is_known()) {
      records.push_back(impl_->Known(number));
    }
  }
  std::ranges::sort(records, {}, &key::Record::id);
  return records;
}

}  // namespace p402::index
