#include "cli/argv_guard.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace p402::cli {
namespace {

const std::string kKey = "p402_live_0123456789abcdefghijABCDEFGHIJ0123456789";

TEST(ArgvGuard, C3_FindsARawKeyWhereverItIs) {
  EXPECT_TRUE(LooksLikeRawKey(kKey));
  EXPECT_TRUE(LooksLikeRawKey("--key=" + kKey));
  EXPECT_TRUE(LooksLikeRawKey("http://" + kKey + "@127.0.0.1"));
  EXPECT_TRUE(LooksLikeRawKey("{\"k\":\"" + kKey + "\"}"));
  EXPECT_TRUE(LooksLikeRawKey("acme_test_0123456789abcdefghijABCDEFGHIJ01234567"));
  EXPECT_TRUE(LooksLikeRawKey("a_live_b_test_ " + kKey));
  EXPECT_TRUE(LooksLikeRawKey(kKey.substr(0, 34)));  // cut short: 24 characters behind the mode
}

TEST(ArgvGuard, C3_LeavesOtherArgumentsAlone) {
  EXPECT_FALSE(LooksLikeRawKey(""));
  EXPECT_FALSE(LooksLikeRawKey("p402_live_a8f2bc"));  // a prefix, as lists show it
  EXPECT_FALSE(LooksLikeRawKey(kKey.substr(0, 33)));
  EXPECT_FALSE(LooksLikeRawKey("key_01jx0000000000000000000000"));
  EXPECT_FALSE(LooksLikeRawKey("_live_0123456789abcdefghijABCDEFGHIJ01234567"));
  EXPECT_FALSE(LooksLikeRawKey("go_live_checklist-for-the-new-website-of-the-team"));
}

TEST(ArgvGuard, C3_OneBadArgumentIsEnoughAndTheAdviceNamesNone) {
  const std::array<const char*, 3> bad = {"keys", "verify", kKey.c_str()};
  EXPECT_TRUE(AnyLooksLikeRawKey(bad));
  const std::array<const char*, 2> good = {"keys", "verify"};
  EXPECT_FALSE(AnyLooksLikeRawKey(good));
  EXPECT_FALSE(LooksLikeRawKey(kRawKeyAdvice));
}

}  // namespace
}  // namespace p402::cli
