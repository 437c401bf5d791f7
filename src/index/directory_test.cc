#include "index/directory.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace p402::index {
namespace {

class DirectoryTest : public ::testing::Test {
 protected:
  uint32_t Find(uint64_t bits) {
    return directory_.Find(Place::Of(bits), [&](uint32_t number) { return bits_[number] == bits; });
  }
  uint32_t Insert(uint64_t bits) {
    const auto number = static_cast<uint32_t>(bits_.size());
    bits_.push_back(bits);
    directory_.Insert(Place::Of(bits), number);
    return number;
  }

  Readers readers_;
  Limbo limbo_{readers_};
  Directory directory_{limbo_};
  std::vector<uint64_t> bits_{0};
};

TEST_F(DirectoryTest, FindsWhatWasInsertedAtEverySize) {
  std::mt19937_64 dice(1);
  for (int i = 0; i < 200'000; ++i) {
    const uint64_t bits = dice();
    ASSERT_EQ(Find(bits), 0u);
    const uint32_t number = Insert(bits);
    ASSERT_EQ(Find(bits), number);
    const size_t other = 1 + dice() % number;
    ASSERT_EQ(Find(bits_[other]), other) << "after " << i;
  }
  for (uint32_t number = 1; number < bits_.size(); ++number) {
    ASSERT_EQ(Find(bits_[number]), number);
  }
  const double slots_a_key = static_cast<double>(directory_.bytes()) / 8 / 200'000;
  EXPECT_LT(slots_a_key, 1.75) << "mostly filled: 1.25 to 1.6, and the segments' own";
}

TEST_F(DirectoryTest, AgreesWithAMapAboutRemovingAndReplacing) {
  std::mt19937_64 dice(2);
  std::map<uint64_t, uint32_t> model;
  // Few places: long runs, that meet at the end of a segment too.
  const auto draw = [&] { return dice() % 7 << 56 | (dice() % 2000) << 43; };
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t bits = draw();
    const auto known = model.find(bits);
    const uint32_t found = Find(bits);
    ASSERT_EQ(found, known == model.end() ? 0 : known->second) << i;
    if (found == 0) {
      model[bits] = Insert(bits);
    } else if (dice() % 2 == 0) {
      directory_.Remove(Place::Of(bits), found);
      model.erase(known);
    } else {
      bits_.push_back(bits);
      known->second = static_cast<uint32_t>(bits_.size() - 1);
      directory_.Replace(Place::Of(bits), found, known->second);
    }
  }
}

TEST_F(DirectoryTest, TagsThatAreEqualOrExtremeAreKeptApart) {
  const std::vector<uint64_t> all = {0, 1, 2, ~uint64_t{0}, ~uint64_t{0} - 1, uint64_t{1} << 19};
  for (const uint64_t bits : all) Insert(bits);
  for (uint32_t i = 0; i < all.size(); ++i) EXPECT_EQ(Find(all[i]), i + 1);
}

TEST_F(DirectoryTest, ReserveMakesRoomThatIsNotMadeAgain) {
  directory_.Reserve(100'000);
  limbo_.Drain();
  const size_t bytes = directory_.bytes();
  std::mt19937_64 dice(3);
  for (int i = 0; i < 100'000; ++i) Insert(dice());
  EXPECT_EQ(directory_.bytes(), bytes);
  for (uint32_t number = 1; number < bits_.size(); ++number) {
    ASSERT_EQ(Find(bits_[number]), number);
  }
}

TEST_F(DirectoryTest, ClearForgets) {
  std::mt19937_64 dice(4);
  for (int i = 0; i < 30'000; ++i) Insert(dice());
  directory_.Clear();
  limbo_.Drain();
  EXPECT_EQ(Find(bits_[1]), 0u);
  EXPECT_LT(directory_.bytes(), size_t{100'000});
  Insert(bits_[1] + 1);
  EXPECT_EQ(Find(bits_[1] + 1), bits_.size() - 1);
}

}  // namespace
}  // namespace p402::index
