#include "index/marks.h"

#include <algorithm>
#include <utility>

namespace p402::index {
namespace {

int64_t ToMs(WallTime time) {
  return time.time_since_epoch().count();
}
WallTime FromMs(int64_t ms) {
  return WallTime(Millis(ms));
}

constexpr auto kYounger = [](const auto& a, const auto& b) { return a.since_ms > b.since_ms; };

}  // namespace

bool Usage::Raise(int64_t at_ms) {
  int64_t known = last_used_ms.load();
  while (known < at_ms) {
    if (last_used_ms.compare_exchange_weak(known, at_ms)) return true;
  }
  return false;
}

void Marks::Use(const std::shared_ptr<Usage>& usage, WallTime now) {
  // Not raised: whoever raised it to this time or a later one queues it.
  if (!usage->Raise(ToMs(now)) || usage->is_waiting.load()) return;
  std::lock_guard lock(mutex_);
  if (usage->is_waiting.load()) return;
  Push(usage, ToMs(now));
}

std::vector<Mark> Marks::Take(size_t limit) {
  std::vector<Mark> taken;
  std::lock_guard lock(mutex_);
  taken.reserve(std::min(limit, waiting()));
  for (DropStale(); !heap_.empty() && taken.size() < limit; DropStale()) {
    Usage& usage = *heap_.front().usage;
    usage.taken_since_ms = usage.since_ms;
    usage.is_waiting.store(false);
    taken.push_back({.key = usage.key, .at = FromMs(usage.last_used_ms.load())});
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    Pop();
  }
  return taken;
}

void Marks::Return(const std::shared_ptr<Usage>& usage, WallTime at) {
  usage->Raise(ToMs(at));
  std::lock_guard lock(mutex_);
  const int64_t since_ms =
      usage->taken_since_ms == Usage::kNever ? ToMs(at) : usage->taken_since_ms;
  if (usage->is_waiting.load() && usage->since_ms <= since_ms) return;
  Push(usage, since_ms);
}

std::optional<WallTime> Marks::Oldest() {
  std::lock_guard lock(mutex_);
  DropStale();
  if (heap_.empty()) return std::nullopt;
  return FromMs(heap_.front().since_ms);
}

void Marks::Push(const std::shared_ptr<Usage>& usage, int64_t since_ms) {
  if (!usage->is_waiting.exchange(true)) waiting_.fetch_add(1, std::memory_order_relaxed);
  usage->since_ms = since_ms;
  heap_.push_back({.since_ms = since_ms, .usage = usage});
  std::ranges::push_heap(heap_, kYounger);
}

void Marks::Pop() {
  std::ranges::pop_heap(heap_, kYounger);
  heap_.pop_back();
}

void Marks::DropStale() {
  while (!heap_.empty() && heap_.front().is_stale()) Pop();
}

}  // namespace p402::index
