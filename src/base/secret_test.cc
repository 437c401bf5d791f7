#include "base/secret.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>

namespace p402 {
namespace {

static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_copy_assignable_v<Secret>);
static_assert(!std::is_convertible_v<std::string, Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);

constexpr std::string_view kShort = "hunter2";  // within std::string's own buffer
constexpr std::string_view kLong = "p402_live_00000000000000000000000000000000000000";

bool Holds(const char* bytes, size_t size, std::string_view text) {
  return std::search(bytes, bytes + size, text.begin(), text.end()) != bytes + size;
}

TEST(Secret, RevealsWhatItHolds) {
  const Secret secret = Secret::CopyOf(kLong);
  EXPECT_EQ(secret.Reveal(), kLong);
  EXPECT_EQ(secret.size(), kLong.size());
  EXPECT_FALSE(secret.empty());
  EXPECT_TRUE(Secret().empty());
}

TEST(Secret, K4_TakingOverATextWipesIt) {
  for (std::string_view text : {kShort, kLong}) {
    std::string source(text);
    const char* const bytes = source.data();
    const Secret secret(std::move(source));
    EXPECT_EQ(secret.Reveal(), text);
    EXPECT_TRUE(source.empty());  // NOLINT(bugprone-use-after-move): it is specified
    ASSERT_EQ(source.data(), bytes);
    EXPECT_FALSE(Holds(bytes, text.size(), text.substr(1, 4)));
  }
}

TEST(Secret, K4_MovesLeaveTheSourceWiped) {
  for (std::string_view text : {kShort, kLong}) {
    Secret first = Secret::CopyOf(text);
    const Secret second(std::move(first));
    EXPECT_EQ(second.Reveal(), text);
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): it is specified
    EXPECT_FALSE(
        Holds(first.Reveal().data(), text.size() < 16 ? text.size() : 15, text.substr(1, 4)));
    Secret third = Secret::CopyOf("something else that is long enough for the heap");
    first = Secret::CopyOf(text);
    third = std::move(first);
    EXPECT_EQ(third.Reveal(), text);
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): it is specified
    EXPECT_FALSE(Holds(first.Reveal().data(), 7, text.substr(1, 4)));
  }
}

TEST(Secret, AssigningItselfKeepsIt) {
  Secret secret = Secret::CopyOf(kLong);
  Secret& same = secret;
  secret = std::move(same);
  EXPECT_EQ(secret.Reveal(), kLong);
}

// The bytes of an object that ended may not be read by name, but its storage is ours.
TEST(Secret, K4_TheDestructorWipes) {
  alignas(Secret) char storage[sizeof(Secret)];
  auto* secret = new (storage) Secret(Secret::CopyOf(kShort));
  ASSERT_TRUE(Holds(storage, sizeof(storage), kShort));
  std::destroy_at(secret);
  char after[sizeof(Secret)];
  std::memcpy(after, storage, sizeof(after));
  EXPECT_FALSE(Holds(after, sizeof(after), kShort.substr(1, 4)));
}

TEST(Secret, ComparesTheWholeText) {
  const Secret secret = Secret::CopyOf(kLong);
  EXPECT_TRUE(secret.EqualsConstantTime(kLong));
  for (size_t i = 0; i < kLong.size(); ++i) {
    std::string other(kLong);
    other[i] ^= 1;
    EXPECT_FALSE(secret.EqualsConstantTime(other)) << i;
  }
  EXPECT_FALSE(secret.EqualsConstantTime(kLong.substr(1)));
  EXPECT_FALSE(secret.EqualsConstantTime(std::string(kLong) + "0"));
  EXPECT_FALSE(secret.EqualsConstantTime(""));
  EXPECT_TRUE(Secret().EqualsConstantTime(""));
}

TEST(WipeString, K4_OverwritesTheWholeCapacity) {
  std::string text(kLong);
  text.resize(5);
  WipeString(text);
  EXPECT_TRUE(text.empty());
  EXPECT_FALSE(Holds(text.data(), kLong.size(), "000"));
}

}  // namespace
}  // namespace p402
