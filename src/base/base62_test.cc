#include "base/base62.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <limits>

#include "base/testing/fakes.h"

namespace p402 {
namespace {

TEST(Base62, K1_ValuesAreInTheOrderOfTheAlphabet) {
  EXPECT_EQ(EncodeBase62(0, 1), "0");
  EXPECT_EQ(EncodeBase62(9, 1), "9");
  EXPECT_EQ(EncodeBase62(10, 1), "A");
  EXPECT_EQ(EncodeBase62(35, 1), "Z");
  EXPECT_EQ(EncodeBase62(36, 1), "a");
  EXPECT_EQ(EncodeBase62(61, 1), "z");
  EXPECT_EQ(EncodeBase62(62, 2), "10");
}

TEST(Base62, K3_PadsWithZeroOnTheLeft) {
  EXPECT_EQ(EncodeBase62(0, 6), "000000");
  EXPECT_EQ(EncodeBase62(61, 6), "00000z");
  EXPECT_EQ(EncodeBase62(0xffffffff, 6), "4gfFC3");
}

TEST(Base62DeathTest, AValueThatDoesNotFitIsADefect) {
  EXPECT_EQ(EncodeBase62(3843, 2), "zz");
  EXPECT_DEATH((void)EncodeBase62(3844, 2), "CHECK failed");
}

TEST(Base62, DecodesWhatItEncodes) {
  testing::SeededRandom random;
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t value = random.Next64() >> (i % 64);
    EXPECT_EQ(DecodeBase62(EncodeBase62(value, 11)), value);
  }
}

TEST(Base62, RefusesOverflowOf64Bits) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  const std::string last = EncodeBase62(kMax, 11);
  EXPECT_EQ(last, "LygHa16AHYF");
  EXPECT_EQ(DecodeBase62(last), kMax);
  EXPECT_EQ(DecodeBase62("LygHa16AHYG"), std::nullopt);
  EXPECT_EQ(DecodeBase62("zzzzzzzzzzz"), std::nullopt);
  EXPECT_EQ(DecodeBase62("100000000000"), std::nullopt);
  EXPECT_EQ(DecodeBase62("0" + last), kMax);
}

TEST(Base62, RefusesEveryByteOutsideOfTheAlphabet) {
  EXPECT_EQ(DecodeBase62(""), std::nullopt);
  EXPECT_FALSE(IsBase62(""));
  size_t accepted = 0;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = {'1', static_cast<char>(byte)};
    EXPECT_EQ(IsBase62(text), DecodeBase62(text).has_value()) << byte;
    accepted += IsBase62(text);
  }
  EXPECT_EQ(accepted, 62u);
}

TEST(Crc32, K3_IsTheOneOfZlib) {
  EXPECT_EQ(Crc32("123456789"), 0xCBF43926u);
  EXPECT_EQ(Crc32(""), 0u);
  EXPECT_EQ(Crc32("The quick brown fox jumps over the lazy dog"), 0x414FA339u);
  std::string text;
  testing::SeededRandom random;
  for (size_t size = 0; size < 100; ++size) {
    const auto* bytes = reinterpret_cast<const Bytef*>(text.data());
    EXPECT_EQ(Crc32(text), crc32_z(0, bytes, text.size())) << size;
    text.resize(size + 1);
    random.Fill({reinterpret_cast<uint8_t*>(text.data()), text.size()});
  }
}

}  // namespace
}  // namespace p402
