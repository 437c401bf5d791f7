#include "key/raw_key.h"

#include <gtest/gtest.h>

#include <map>

#include "base/base62.h"
#include "base/limits.h"
#include "base/testing/fakes.h"

namespace p402::key {
namespace {

std::string Make(Random& random, std::string_view brand = "p402", Mode mode = Mode::kLive) {
  return std::string(GenerateRawKey(random, brand, mode).Reveal());
}

// Gives the same bytes again and again.
class RepeatingRandom final : public Random {
 public:
  explicit RepeatingRandom(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {}
  void Fill(std::span<uint8_t> out) override {
    for (uint8_t& byte : out) byte = bytes_[next_++ % bytes_.size()];
  }

 private:
  std::vector<uint8_t> bytes_;
  size_t next_ = 0;
};

TEST(RawKey, K1_HasTheShownForm) {
  testing::SeededRandom random;
  const std::string live = Make(random);
  EXPECT_EQ(live.size(), 48u);
  EXPECT_TRUE(live.starts_with("p402_live_"));
  EXPECT_TRUE(Make(random, "p402", Mode::kTest).starts_with("p402_test_"));
  EXPECT_TRUE(Make(random, "acme").starts_with("acme_live_"));
  EXPECT_TRUE(IsBase62(live.substr(10)));
}

TEST(RawKey, K1_FitsOneSha256BlockWithTheLongestBrand) {
  testing::SeededRandom random;
  EXPECT_LE(Make(random, std::string(limits::kBrandMaxBytes, 'z')).size(), limits::kRawKeyMaxBytes);
}

TEST(RawKey, K1_ABrandHas2To10LowerCaseLettersAndDigits) {
  EXPECT_TRUE(CheckBrand("ab"));
  EXPECT_TRUE(CheckBrand("p402"));
  EXPECT_TRUE(CheckBrand("0123456789"));
  for (const char* bad :
       {"", "a", "0123456789a", "Acme", "a_b", "a-b", "a b", "\xc3\xbc\xc3\xbc"}) {
    const auto status = CheckBrand(bad);
    ASSERT_FALSE(status) << bad;
    EXPECT_EQ(status.error().field, "brand");
  }
}

TEST(RawKey, K2_BytesFrom248OnAreThrownAway) {
  RepeatingRandom random({255, 248, 0, 61, 62, 247});
  EXPECT_EQ(Make(random).substr(10, 8), "0z0z0z0z");
}

// Chi-square over 62 characters: 61 degrees of freedom; 120 is beyond the 0.9999 quantile.
TEST(RawKey, K2_EveryCharacterIsUniform) {
  testing::SeededRandom random(402);
  std::map<char, int> counts;
  constexpr int kKeys = 4'000;
  for (int i = 0; i < kKeys; ++i) {
    for (char c : Make(random).substr(10, 32)) ++counts[c];
  }
  const double expected = kKeys * 32 / 62.0;
  double chi_square = 0;
  for (char c : kBase62Alphabet) {
    chi_square += (counts[c] - expected) * (counts[c] - expected) / expected;
  }
  EXPECT_LT(chi_square, 120);
}

TEST(RawKey, K3_TheChecksumCoversBrandModeAndRandomPart) {
  testing::SeededRandom random;
  const std::string text = Make(random);
  EXPECT_EQ(text.substr(42), EncodeBase62(Crc32(text.substr(0, 42)), 6));
  ASSERT_TRUE(ParseRawKey(text, "p402"));
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(ParseRawKey(changed, "p402")) << i;
  }
  std::string swapped = text;
  swapped.replace(5, 4, "test");
  EXPECT_FALSE(ParseRawKey(swapped, "p402"));
}

TEST(RawKey, ParsesWhatItGenerates) {
  testing::SeededRandom random;
  for (const char* brand : {"p402", "acme", "ab", "0123456789", "live", "test"}) {
    for (Mode mode : {Mode::kLive, Mode::kTest}) {
      const std::string text = Make(random, brand, mode);
      const auto parts = ParseRawKey(text, brand);
      ASSERT_TRUE(parts) << text;
      EXPECT_EQ(parts->mode, mode);
      EXPECT_EQ(parts->prefix, text.substr(0, std::string_view(brand).size() + 12));
    }
  }
}

TEST(RawKey, K1_ThePrefixHas16CharactersWithTheDefaultBrand) {
  testing::SeededRandom random;
  const std::string text = Make(random);
  EXPECT_EQ(ParseRawKey(text, "p402")->prefix.size(), 16u);
}

TEST(RawKey, RefusesOtherBrandsAndLengths) {
  testing::SeededRandom random;
  const std::string text = Make(random);
  for (const std::string& bad :
       {std::string(), std::string("p402"), std::string("p402_live_"), text.substr(1),
        text.substr(0, 47), text + "0", " " + text, text + "\n", Make(random, "acme")}) {
    EXPECT_FALSE(ParseRawKey(bad, "p402")) << bad;
  }
}

}  // namespace
}  // namespace p402::key
