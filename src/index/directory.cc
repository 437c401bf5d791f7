#include "index/directory.h"

#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/limits.h"

namespace p402::index {

Directory::Directory(Limbo& limbo) : limbo_(limbo) {
  static_assert(kMaxCells - 1 == limits::kIndexKeys, "cell 0 is none");
  static_assert(kCapacities.back() / 5 * 4 * kSegments > kMaxCells / 16 * 17);
  Clear();
}

void Directory::Clear() {
  Retire(std::exchange(old_region_, nullptr));
  Retire(std::exchange(region_, nullptr));
  UseRegion(0);
  for (uint32_t segment = 0; segment < kSegments; ++segment) {
    segments_[segment].store(reinterpret_cast<uint64_t>(region_->data()) +
                             segment * kCapacities[0] * sizeof(uint64_t));
  }
  used_.fill(0);
  next_to_move_ = kSegments;
}

void Directory::Reserve(size_t keys) {
  size_t step = step_;
  // Segments differ: the fullest of many holds this much more than its share.
  const auto mean = static_cast<double>(keys) / kSegments;
  const auto share = static_cast<size_t>(mean + 4 * std::sqrt(mean)) + 8;
  while (step + 1 < kSteps && Limit(kCapacities[step]) < share) ++step;
  if (step == step_) return;
  EndMoving();
  old_region_ = region_;
  UseRegion(step);
  EndMoving();
}

void Directory::Insert(Place place, uint32_t number) {
  MakeRoom(place.segment);
  Put(Unpack(segments_[place.segment].load(std::memory_order_relaxed)),
      place.tag << kCellBits | number);
  ++used_[place.segment];
}

void Directory::Replace(Place place, uint32_t from, uint32_t to) {
  Slot(SlotOf(place, from)).store(place.tag << kCellBits | to, std::memory_order_release);
}

void Directory::Remove(Place place, uint32_t number) {
  Slot(SlotOf(place, number)).store(kRemoved);
}

size_t Directory::bytes() const {
  return region_->size() + (old_region_ ? old_region_->size() : 0) + sizeof *this;
}

uint64_t& Directory::SlotOf(Place place, uint32_t number) {
  const Segment segment = Unpack(segments_[place.segment].load(std::memory_order_relaxed));
  const uint64_t wanted = place.tag << kCellBits | number;
  uint32_t at = Position(place.tag, segment.capacity);
  while (segment.slots[at] != wanted) {
    P402_CHECK(segment.slots[at] != kEmpty);
    if (++at == segment.capacity) at = 0;
  }
  return segment.slots[at];
}

// The store makes the slot, and the cell that was written before it, visible to readers.
void Directory::Put(const Segment& segment, uint64_t slot) {
  uint32_t at = Position(slot >> kCellBits, segment.capacity);
  while (segment.slots[at] != kEmpty) {
    if (++at == segment.capacity) at = 0;
  }
  Slot(segment.slots[at]).store(slot, std::memory_order_release);
}

void Directory::MakeRoom(uint32_t segment) {
  if (next_to_move_ < kSegments) {
    Move(next_to_move_++);
    if (next_to_move_ == kSegments) EndMoving();
  }
  const uint64_t packed = segments_[segment].load(std::memory_order_relaxed);
  if (used_[segment] < Limit(Unpack(packed).capacity)) return;
  if (packed >> 48 == step_) {
    EndMoving();
    P402_CHECK(step_ + 1 < kSteps);
    old_region_ = region_;
    UseRegion(step_ + 1);
  }
  Move(segment);
}

void Directory::UseRegion(size_t step) {
  const size_t bytes = kSegments * kCapacities[step] * sizeof(uint64_t);
  region_ = std::make_shared<Pages>(bytes, /*wants_huge=*/bytes >= 4 * kHugePageBytes);
  step_ = step;
  next_to_move_ = 0;
}

// Nobody sees the new slots until the segment is published, so they are written plainly.
void Directory::Move(uint32_t segment) {
  const uint64_t packed = segments_[segment].load(std::memory_order_relaxed);
  if (packed >> 48 == step_) return;
  const Segment from = Unpack(packed);
  const size_t offset = size_t{segment} * kCapacities[step_] * sizeof(uint64_t);
  const uint64_t to = reinterpret_cast<uint64_t>(region_->data()) + offset;
  const Segment moved = Unpack(uint64_t{step_} << 48 | to);
  uint32_t used = 0;
  for (uint32_t i = 0; i < from.capacity; ++i) {
    const uint64_t slot = from.slots[i];
    if (slot == kEmpty || slot == kRemoved) continue;
    uint32_t at = Position(slot >> kCellBits, moved.capacity);
    while (moved.slots[at] != kEmpty) {
      if (++at == moved.capacity) at = 0;
    }
    moved.slots[at] = slot;
    ++used;
  }
  used_[segment] = used;
  segments_[segment].store(uint64_t{step_} << 48 | to);
}

void Directory::EndMoving() {
  while (next_to_move_ < kSegments) Move(next_to_move_++);
  Retire(std::exchange(old_region_, nullptr));
}

void Directory::Retire(std::shared_ptr<Pages> region) {
  if (region) limbo_.Add([region = std::move(region)] {});
}

}  // namespace p402::index
