#include "base/secret.h"

#include <gtest/gtest.h>

#include <cstring>
#include <type_traits>

namespace p402 {
namespace {

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);

constexpr std::string_view kLong = "p402_live_0123456789012345678901234567890123456789";

TEST(Secret, WipesTheTextItTakesOver) {
  std::string text(kLong);
  const char* bytes = text.data();
  const Secret secret(std::move(text));
  EXPECT_EQ(secret.Reveal(), kLong);
  EXPECT_TRUE(text.empty());  // NOLINT: the state after the move is the contract
  EXPECT_EQ(bytes[0], '\0');
}

TEST(Secret, AMoveLeavesNothingBehind) {
  Secret small = Secret::CopyOf("short");  // in the small buffer: a plain move would leave it
  const char* bytes = small.Reveal().data();
  const Secret other(std::move(small));
  EXPECT_EQ(other.Reveal(), "short");
  EXPECT_EQ(std::memcmp(bytes, "\0\0\0\0\0", 5), 0);
}

TEST(Secret, AnAssignmentWipesWhatWasThere) {
  Secret target = Secret::CopyOf("first");
  target = Secret::CopyOf("second");
  EXPECT_EQ(target.Reveal(), "second");
}

TEST(Secret, ComparesWholeTexts) {
  const Secret secret = Secret::CopyOf("abc");
  EXPECT_TRUE(secret.EqualsConstantTime("abc"));
  EXPECT_FALSE(secret.EqualsConstantTime("abd"));
  EXPECT_FALSE(secret.EqualsConstantTime("ab"));
  EXPECT_FALSE(secret.EqualsConstantTime("abcd"));
  EXPECT_TRUE(Secret().EqualsConstantTime(""));
}

TEST(WipeString, OverwritesTheWholeCapacity) {
  std::string text(kLong);
  const char* bytes = text.data();
  text.resize(3);
  WipeString(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(bytes[0], '\0');
  EXPECT_EQ(bytes[20], '\0');
}

}  // namespace
}  // namespace p402
