#include "index/homes.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "base/testing/fakes.h"

namespace p402::index {
namespace {

class HomesTest : public ::testing::Test {
 protected:
  key::Digest NewDigest() {
    key::Digest digest;
    random_.Fill(digest);
    return digest;
  }
  testing::SeededRandom random_;
  Cells cells_;
  Homes homes_;
};

TEST_F(HomesTest, WithoutAReservationThereIsNone) {
  EXPECT_EQ(homes_.Take(NewDigest()), 0u);
  EXPECT_FALSE(homes_.GiveBack(1));
  homes_.Prefetch(cells_, NewDigest());
}

// Each cell once, never cell 0, until none is left: of any number of keys, also where the last word
// of bits is full or begun.
TEST_F(HomesTest, GivesEveryCellOnce) {
  for (const size_t keys : {0u, 1u, 58u, 59u, 60u, 61u, 1000u}) {
    Cells cells;
    Homes homes;
    homes.Reserve(cells, keys);
    ASSERT_GE(cells.end(), keys + 1);
    std::set<uint32_t> taken;
    for (uint32_t number; (number = homes.Take(NewDigest())) != 0;) {
      EXPECT_TRUE(taken.insert(number).second) << number;
      EXPECT_LT(number, cells.end());
    }
    EXPECT_GE(taken.size(), keys);
    EXPECT_TRUE(!taken.contains(0));
    for (const uint32_t number : taken) EXPECT_TRUE(homes.GiveBack(number));
    std::set<uint32_t> again;
    for (uint32_t number; (number = homes.Take(NewDigest())) != 0;) again.insert(number);
    EXPECT_EQ(again, taken) << keys;
  }
}

TEST_F(HomesTest, ThreeOfFourKeysAreAtHome) {
  constexpr size_t kKeys = 100'000;
  homes_.Reserve(cells_, kKeys);
  EXPECT_LE(cells_.end(), kKeys * 11 / 10);
  size_t at_home = 0;
  for (size_t i = 0; i < kKeys; ++i) {
    const auto digest = NewDigest();
    const uint32_t home = homes_.Next(digest);
    const uint32_t taken = homes_.Take(digest);
    EXPECT_NE(taken, 0u);
    at_home += home == taken;
  }
  EXPECT_GE(at_home, kKeys * 3 / 4);
}

TEST_F(HomesTest, ACellThatIsNoneOfThemIsNotTakenBack) {
  homes_.Reserve(cells_, 10);
  EXPECT_FALSE(homes_.GiveBack(cells_.end()));
  homes_.Clear();
  EXPECT_FALSE(homes_.GiveBack(1));
  EXPECT_EQ(homes_.Take(NewDigest()), 0u);
}

}  // namespace
}  // namespace p402::index
