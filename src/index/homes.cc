#include "index/homes.h"

#include <algorithm>
#include <bit>

namespace p402::index {

void Homes::Reserve(Cells& cells, size_t keys) {
  constexpr size_t kMaxPairs = Directory::kMaxCells / 2;
  const auto pairs = static_cast<uint32_t>(std::min(keys / 2 + keys / 24 + 1, kMaxPairs));
  cells.Extend(2 * pairs);
  taken_.assign(pairs / kPairsPerWord + 1, 0);
  taken_.back() = ~uint64_t{0} << pairs % kPairsPerWord * 2;  // cells that there are not
  taken_.front() |= 1;                                        // cell 0 is none
  first_free_ = 0;
  pairs_.store(pairs, std::memory_order_relaxed);
}

void Homes::Clear() {
  pairs_.store(0, std::memory_order_relaxed);
  taken_.clear();
  first_free_ = 0;
}

uint32_t Homes::Next(const key::Digest& digest) const {
  const uint32_t pairs = pairs_.load(std::memory_order_relaxed);
  if (pairs == 0) return 0;
  const uint32_t first = PairOf(BitsOf(digest, 0), pairs);
  const uint32_t second = PairOf(BitsOf(digest, 1), pairs);
  const unsigned taken_first = TakenOf(first);
  const unsigned taken_second = TakenOf(second);
  const bool is_second = std::popcount(taken_second) < std::popcount(taken_first);
  const unsigned taken = is_second ? taken_second : taken_first;
  if (taken == 3) return 0;
  return 2 * (is_second ? second : first) + (taken & 1);
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
  if (number / 2 >= pairs_.load(std::memory_order_relaxed)) return false;
  taken_[number / 64] &= ~(uint64_t{1} << number % 64);
  first_free_ = std::min<size_t>(first_free_, number / 64);
  return true;
}

}  // namespace p402::index
