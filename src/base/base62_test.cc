#include "base/base62.h"

#include <gtest/gtest.h>

#include <limits>

namespace p402 {
namespace {

TEST(Base62, CountsDigitsThenUpperThenLowerCase) {
  EXPECT_EQ(EncodeBase62(0, 1), "0");
  EXPECT_EQ(EncodeBase62(9, 1), "9");
  EXPECT_EQ(EncodeBase62(10, 1), "A");
  EXPECT_EQ(EncodeBase62(35, 1), "Z");
  EXPECT_EQ(EncodeBase62(36, 1), "a");
  EXPECT_EQ(EncodeBase62(61, 1), "z");
  EXPECT_EQ(EncodeBase62(62, 6), "000010");
}

TEST(Base62, HoldsEveryCrc32InSixCharacters) {
  const uint32_t largest = std::numeric_limits<uint32_t>::max();
  EXPECT_EQ(DecodeBase62(EncodeBase62(largest, 6)), largest);
}

TEST(Base62, RefusesOtherCharactersAndOverflow) {
  EXPECT_EQ(DecodeBase62(""), std::nullopt);
  EXPECT_EQ(DecodeBase62("00-0"), std::nullopt);
  EXPECT_EQ(DecodeBase62(EncodeBase62(std::numeric_limits<uint64_t>::max(), 11)),
            std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(DecodeBase62("zzzzzzzzzzz"), std::nullopt);
  EXPECT_FALSE(IsBase62(""));
  EXPECT_FALSE(IsBase62("a b"));
  EXPECT_TRUE(IsBase62("azAZ09"));
}

TEST(Base62DeathTest, AValueThatDoesNotFitIsADefect) {
  EXPECT_DEATH(EncodeBase62(62, 1), "CHECK");
}

// The check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms.
TEST(Crc32, HasTheCheckValueOfIsoHdlc) {
  EXPECT_EQ(Crc32("123456789"), 0xCBF43926u);
  EXPECT_EQ(Crc32(""), 0u);
}

}  // namespace
}  // namespace p402
