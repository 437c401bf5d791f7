#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

#include "base/check.h"

namespace p402 {
namespace {

Result<std::unique_ptr<int>> Make(bool is_ok) {
  if (!is_ok) return InvalidArgument("number", "must be even");
  return std::make_unique<int>(4);
}
Status Do(bool is_ok) {
  if (!is_ok) return Fail(ErrorCode::kIo, "disk");
  return {};
}
Result<int> Both(bool makes, bool does) {
  P402_TRY(const auto number, Make(makes));
  P402_TRY(Do(does));
  P402_TRY(const auto again, Make(true));
  return *number + *again;
}

TEST(Result, TryBindsTheValueOrReturnsTheError) {
  EXPECT_EQ(Both(true, true).value(), 8);
  const auto first = Both(false, true);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(first.error().field, "number");
  EXPECT_EQ(first.error().public_message, "must be even");
  const auto second = Both(true, false);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kIo);
  EXPECT_EQ(second.error().detail, "disk");
  EXPECT_EQ(second.error().public_message, "");
}

TEST(CheckDeathTest, EndsTheProcessAndSaysWhere) {
  P402_CHECK(1 + 1 == 2);
  EXPECT_DEATH(P402_CHECK(1 + 1 == 3), "CHECK failed: 1 \\+ 1 == 3 at .*result_test.cc:");
}

}  // namespace
}  // namespace p402
