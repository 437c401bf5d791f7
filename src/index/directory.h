#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "index/pages.h"
#include "index/populator.h"
#include "index/readers.h"

namespace p402::index {

// Where a key lies in a directory, from 64 uniform bits: 8 choose the segment, 37 more are kept in
// the slot.
struct Place {
  static Place Of(uint64_t bits) {
    return {.segment = static_cast<uint32_t>(bits >> 56), .tag = bits >> 19 & kTagMask};
  }
  static constexpr uint64_t kTagMask = (uint64_t{1} << 37) - 1;
  uint32_t segment;
  uint64_t tag;
};

// Numbers of cells by uniform bits: open addressing with linear probing.
//
//   slot:  tag (37 bits) · cell (27 bits)        cell 0: empty; tag and cell all ones: removed
//
// The tag alone gives the position (tag × capacity / 2^37), so growing reads and writes slots in
// order and looks at no cell. All segments' slots lie in one region. When the first segment is
// full, a region with larger segments is made, and the segments move over one by one: a full one at
// once, another with every insertion. A moved segment is published with one store; readers of the
// old slots go on in them. When all have moved, the old region is freed as soon as its readers have
// left.
//
// Threads: Find: any, within a Pin. Everything else: the one writer's.
class Directory {
 public:
  static constexpr uint32_t kCellBits = 27;
  static constexpr uint32_t kMaxCells = (uint32_t{1} << kCellBits) - 1;

  explicit Directory(Limbo& limbo);

  // The number at `place` that `is_it` accepts, or 0. Cost: mostly one line of memory.
  template <class Accept>
  uint32_t Find(Place place, Accept is_it) const {
    const Segment segment = Unpack(segments_[place.segment].load());
    const uint32_t home = Position(place.tag, segment.capacity);
    // Most keys are in the line of their position. How far into it nobody can guess, so the whole
    // line is compared: a wrong guess would cost more, and all that was begun ahead.
    const uint32_t likely = FindInLine(segment.slots + home / kSlotsPerLine * kSlotsPerLine, place);
    if (likely != 0 && is_it(likely)) return likely;
    for (uint32_t at = home;;) {
      const uint64_t slot = Slot(segment.slots[at]).load();
      if (slot == kEmpty) return 0;
      const auto number = static_cast<uint32_t>(slot & kMaxCells);
      if (slot >> kCellBits == place.tag && slot != kRemoved && is_it(number)) return number;
      if (++at == segment.capacity) at = 0;
    }
  }

  // Asks for the line that Find(place) reads first.
  void Prefetch(Place place) const {
    const Segment segment = Unpack(segments_[place.segment].load());
    __builtin_prefetch(segment.slots + Position(place.tag, segment.capacity));
  }

  // Makes room for so many keys at once.
  // Requires: the directory is empty.
  void Reserve(size_t keys);
  void Populate(Populator& populator) const {
    populator.Touch(region_->data(), region_->size(), region_);
  }
  // Requires: `number` is not there.
  void Insert(Place place, uint32_t number);
  // Requires: `from` is at `place`. In one step for readers.
  void Replace(Place place, uint32_t from, uint32_t to);
  void Remove(Place place, uint32_t number);
  // Forgets everything; readers see it segment by segment.
  void Clear();

  size_t bytes() const;

 private:
  static constexpr size_t kSegments = 256;
  static constexpr uint32_t kSlotsPerLine = 64 / sizeof(uint64_t);
  static constexpr uint64_t kEmpty = 0;
  static constexpr uint64_t kRemoved = ~uint64_t{0};
  // Capacities of a segment: from 8 slots in steps of a quarter, each a whole number of lines,
  // until the segments together hold kMaxCells. A step keeps the load between 0.64 and 0.8.
  static constexpr size_t kSteps = 48;
  static constexpr std::array<uint32_t, kSteps> kCapacities = [] {
    std::array<uint32_t, kSteps> capacities{};
    uint32_t capacity = 8;
    for (auto& one : capacities) {
      one = capacity;
      capacity += (capacity / 4 + 7) / 8 * 8;
    }
    return capacities;
  }();
  static constexpr uint32_t Limit(uint32_t capacity) { return capacity * 4 / 5; }

  struct Segment {
    uint64_t* slots;
    uint32_t capacity;
  };
  // A pointer of 48 bits, and the number of its step: one load gives both.
  static Segment Unpack(uint64_t packed) {
    return {.slots = reinterpret_cast<uint64_t*>(packed & ((uint64_t{1} << 48) - 1)),
            .capacity = kCapacities[packed >> 48]};
  }
  static std::atomic_ref<uint64_t> Slot(uint64_t& slot) { return std::atomic_ref(slot); }
  // The last number in a line with this tag, or 0.
  static uint32_t FindInLine(uint64_t* line, Place place) {
    uint64_t found = kEmpty;
    for (size_t i = 0; i < kSlotsPerLine; ++i) {
      const uint64_t slot = Slot(line[i]).load();
      found = slot >> kCellBits == place.tag ? slot : found;
    }
    return found == kRemoved ? 0 : static_cast<uint32_t>(found & kMaxCells);
  }
  static uint32_t Position(uint64_t tag, uint32_t capacity) {
    return static_cast<uint32_t>(tag * capacity >> 37);
  }

  uint64_t& SlotOf(Place place, uint32_t number);
  static void Put(const Segment& segment, uint64_t slot);
  void MakeRoom(uint32_t segment);
  void UseRegion(size_t step);
  void Move(uint32_t segment);
  void EndMoving();
  void Retire(std::shared_ptr<Pages> region);

  Limbo& limbo_;
  std::array<std::atomic<uint64_t>, kSegments> segments_{};
  std::array<uint32_t, kSegments> used_{};  // slots that are not empty
  std::shared_ptr<Pages> region_;
  std::shared_ptr<Pages> old_region_;  // null unless segments are moving
  size_t step_ = 0;                    // of region_
  uint32_t next_to_move_ = 0;
};

}  // namespace p402::index
