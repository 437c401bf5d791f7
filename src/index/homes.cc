#include "index/homes.h"

#include <algorithm>
#include <bit>

namespace p402::index {

void Homes::Reserve(Cells& cells, size_t keys) {
  constexpr size_t kMaxHomes = Directory::kMaxCells / kCellsPerHome;
  const size_t wanted = (keys + keys / 11) / kCellsPerHome + 1;
  const auto homes = static_cast<uint32_t>(std::min(wanted, kMaxHomes));
  cells.Extend(homes * kCellsPerHome - 1);  // cell 0 is none
  taken_.assign(homes / kHomesPerWord + 1, 0);
  taken_.back() = ~uint64_t{0} << homes % kHomesPerWord * kCellsPerHome;  // what there is not
  taken_.front() |= 1;
  first_free_ = 0;
  homes_.store(homes, std::memory_order_relaxed);
}

void Homes::Clear() {
  homes_.store(0, std::memory_order_relaxed);
  taken_.clear();
  first_free_ = 0;
}

uint32_t Homes::Next(const key::Digest& digest) const {
  constexpr unsigned kAll = (1u << kCellsPerHome) - 1;
  const uint32_t homes = homes_.load(std::memory_order_relaxed);
  if (homes == 0) return 0;
  const uint32_t home = HomeOf(digest, homes);
  const auto taken =
      static_cast<unsigned>(taken_[home / kHomesPerWord] >> home % kHomesPerWord * kCellsPerHome) &
      kAll;
  if (taken == kAll) return 0;
  return home * kCellsPerHome + static_cast<uint32_t>(std::countr_one(taken));
}

uint32_t Homes::AnyFree() {
  while (first_free_ < taken_.size() && taken_[first_free_] == ~uint64_t{0}) ++first_free_;
  if (first_free_ == taken_.size()) return 0;
  const auto bit = static_cast<uint32_t>(std::countr_one(taken_[first_free_]));
  return static_cast<uint32_t>(first_free_) * 64 + bit;
}

uint32_t Homes::Take(const key::Digest& digest) {
  uint32_t number = Next(digest);
  if (number == 0) number = AnyFree();
  if (number != 0) taken_[number / 64] |= uint64_t{1} << number % 64;
  return number;
}

bool Homes::GiveBack(uint32_t number) {
  if (number / kCellsPerHome >= homes_.load(std::memory_order_relaxed)) return false;
  taken_[number / 64] &= ~(uint64_t{1} << number % 64);
  first_free_ = std::min<size_t>(first_free_, number / 64);
  return true;
}

}  // namespace p402::index
