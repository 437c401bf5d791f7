#include "index/marks.h"

#include <sched.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <functional>
#include <utility>

namespace p402::index {
namespace {

using std::chrono::seconds;

// Seconds are counted from 2020, so that 31 bits last until 2088. 0: never.
constexpr auto kFirstSecond = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);
constexpr uint32_t kWaits = 1;

uint32_t SecondOf(WallTime time) {
  const int64_t second = std::chrono::floor<seconds>(time - kFirstSecond).count();
  return static_cast<uint32_t>(std::clamp<int64_t>(second, 1, INT32_MAX));
}
WallTime TimeOf(uint32_t second) {
  return WallTime(kFirstSecond + seconds(second));
}

// An entry sorts by its age.
uint64_t Entry(uint32_t cell, uint32_t since) {
  return uint64_t{since} << 32 | cell;
}
uint32_t CellOf(uint64_t entry) {
  return static_cast<uint32_t>(entry);
}
uint32_t SinceOf(uint64_t entry) {
  return static_cast<uint32_t>(entry >> 32);
}

// The processor's number: a memory read since Linux 4.18 and glibc 2.35 (restartable sequences). Not
// the thread's: the host of a library may have hundreds of threads, and no more processors for it.
unsigned ThisProcessor() {
  const int processor = sched_getcpu();
  return processor < 0 ? 0 : static_cast<unsigned>(processor);
}

// Raises `used` to `second`, with `flags`. Returns what it was before; the same second or a later
// one: it stays so.
uint32_t RaiseTo(std::atomic<uint32_t>& used, uint32_t second, uint32_t flags) {
  uint32_t known = used.load();
  while (known >> 1 < second &&
         !used.compare_exchange_weak(known, second << 1 | (known & kWaits) | flags)) {
  }
  return known;
}

}  // namespace

void WordQueue::Push(uint64_t word) {
  if (blocks_.empty() || blocks_.back()->end == kBlockWords) {
    if (spare_.empty()) spare_.push_back(std::make_unique<Block>());
    blocks_.push_back(std::move(spare_.back()));
    spare_.pop_back();
  }
  Block& block = *blocks_.back();
  block.words[block.end++] = word;
}

void WordQueue::Pop() {
  Block& block = *blocks_.front();
  if (++block.begin < block.end) return;
  block.begin = block.end = 0;
  if (spare_.size() < kSpareBlocks) spare_.push_back(std::move(blocks_.front()));
  blocks_.pop_front();
}

void WordQueue::TakeFrom(WordQueue& other) {
  for (auto& block : other.blocks_) blocks_.push_back(std::move(block));
  other.blocks_.clear();
  while (!spare_.empty() && other.spare_.size() < kSpareBlocks) {
    other.spare_.push_back(std::move(spare_.back()));
    spare_.pop_back();
  }
}

void Marks::Use(uint32_t cell, WallTime now) {
  const uint32_t second = SecondOf(now);
  const uint32_t before = RaiseTo(cells_[cell].used, second, kWaits);
  if (before >> 1 >= second || (before & kWaits) != 0) return;
  Push(cell, second);
}

bool Marks::Raise(Cell& cell, WallTime at) {
  const uint32_t second = SecondOf(at);
  return RaiseTo(cell.used, second, 0) >> 1 < second;
}

std::optional<WallTime> Marks::LastUsed(const Cell& cell) {
  const uint32_t second = cell.used.load() >> 1;
  if (second == 0) return std::nullopt;
  return TimeOf(second);
}

void Marks::Push(uint32_t cell, uint32_t second) {
  const uint64_t entry = Entry(cell, second);
  Stripe& stripe = stripes_[ThisProcessor() % kStripes];
  std::lock_guard lock(stripe.mutex);
  ++stripe.pushed;
  if (SinceOf(entry) < SinceOf(stripe.last)) return stripe.late.push_back(entry);
  stripe.last = entry;
  stripe.incoming.Push(entry);
}

std::vector<Mark> Marks::Take(size_t limit) {
  std::lock_guard lock(mutex_);
  return TakeLocked(limit);
}

void Marks::Return(uint32_t cell, WallTime at, WallTime since) {
  std::lock_guard lock(mutex_);
  ReturnLocked(cell, SecondOf(at), SecondOf(since));
}

// The age of what waits in `from` is not known: no younger than the oldest of all.
void Marks::Move(uint32_t from, uint32_t to) {
  std::lock_guard lock(mutex_);
  Gather();
  const auto oldest = Front();
  const uint32_t used = cells_[from].used.exchange(0);
  if ((used & kWaits) == 0) {
    RaiseTo(cells_[to].used, used >> 1, 0);
    return;
  }
  ++taken_;
  ReturnLocked(to, used >> 1, oldest ? SinceOf(*oldest) : used >> 1);
}

void Marks::Rehome(const std::function<void()>& clear,
                   const std::function<uint32_t(const key::KeyId&)>& cell_for) {
  std::lock_guard lock(mutex_);
  const auto marks = TakeLocked(SIZE_MAX);
  clear();
  for (const Mark& mark : marks) {
    ReturnLocked(cell_for(mark.key), SecondOf(mark.at), SecondOf(*mark.since));
  }
}

size_t Marks::waiting() {
  std::lock_guard lock(mutex_);
  int64_t waiting = -taken_;
  for (Stripe& stripe : stripes_) {
    std::lock_guard stripe_lock(stripe.mutex);
    waiting += stripe.pushed;
  }
  return static_cast<size_t>(std::max<int64_t>(waiting, 0));
}

std::optional<WallTime> Marks::Oldest() {
  std::lock_guard lock(mutex_);
  Gather();
  const auto entry = Front();
  if (!entry) return std::nullopt;
  return TimeOf(SinceOf(*entry));
}

std::vector<Mark> Marks::TakeLocked(size_t limit) {
  std::vector<Mark> taken;
  boost::unordered_flat_set<uint32_t> seen;
  Gather();
  while (taken.size() < limit) {
    const auto entry = Front();
    // Of a cell with two entries, used again just now: the next take has it.
    if (!entry || !seen.insert(CellOf(*entry)).second) break;
    PopFront();
    Cell& cell = cells_[CellOf(*entry)];
    const uint32_t used = cell.used.fetch_and(~kWaits);
    if ((used & kWaits) == 0) continue;
    ++taken_;
    taken.push_back({.key = cell.id, .at = TimeOf(used >> 1), .since = TimeOf(SinceOf(*entry))});
  }
  return taken;
}

void Marks::ReturnLocked(uint32_t cell, uint32_t second, uint32_t since) {
  auto& used = cells_[cell].used;
  RaiseTo(used, second, 0);
  const bool waits = (used.fetch_or(kWaits) & kWaits) != 0;
  if (!waits) --taken_;
  PushLate(Entry(cell, since));
}

void Marks::Gather() {
  for (size_t i = 0; i < kStripes; ++i) {
    Stripe& stripe = stripes_[i];
    std::lock_guard lock(stripe.mutex);
    backlog_[i].TakeFrom(stripe.incoming);
    if (backlog_[i].empty()) stripe.last = 0;
    for (const uint64_t entry : stripe.late) PushLate(entry);
    stripe.late.clear();
  }
}

std::optional<uint64_t> Marks::Front() {
  while (true) {
    front_ = nullptr;
    uint64_t oldest = late_.empty() ? UINT64_MAX : late_.front();
    for (WordQueue& queue : backlog_) {
      if (queue.empty() || queue.front() > oldest) continue;
      oldest = queue.front();
      front_ = &queue;
    }
    if (oldest == UINT64_MAX) return std::nullopt;
    if ((cells_[CellOf(oldest)].used.load() & kWaits) != 0) return oldest;
    PopFront();
  }
}

void Marks::PopFront() {
  if (front_ != nullptr) return front_->Pop();
  std::ranges::pop_heap(late_, std::greater());
  late_.pop_back();
}

void Marks::PushLate(uint64_t entry) {
  late_.push_back(entry);
  std::ranges::push_heap(late_, std::greater());
}

}  // namespace p402::index
