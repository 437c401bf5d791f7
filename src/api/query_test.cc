#include "api/query.h"

#include "gtest/gtest.h"

namespace p402::api {
namespace {

constexpr std::string_view kAllowed = "limit cursor name flag time for";

Query Parsed(std::string_view text) {
  auto query = Query::Parse(text, kAllowed);
  EXPECT_TRUE(query.has_value()) << text;
  return query ? *std::move(query) : Query();
}

std::string RefusedField(std::string_view text) {
  const auto query = Query::Parse(text, kAllowed);
  EXPECT_FALSE(query.has_value()) << text;
  return query ? "" : query.error().field;
}

TEST(Query, A3_DecodesAsFormsEncode) {
  const Query query = Parsed("name=a%20b+c%2Bd%C3%A4&limit=&cursor=x=y");
  EXPECT_EQ(query.Text("name"), "a b c+dä");
  EXPECT_EQ(query.Text("limit"), "");
  EXPECT_EQ(query.Text("cursor"), "x=y");
  EXPECT_EQ(query.Text("flag"), std::nullopt);
  EXPECT_EQ(Parsed("n%61me=x").Text("name"), "x");
}

TEST(Query, B_UnknownAndRepeatedParametersAreRefusedByName) {
  EXPECT_EQ(RefusedField("stauts=revoked"), "stauts");
  EXPECT_EQ(RefusedField("access_token=x"), "access_token");
  EXPECT_EQ(RefusedField("name=a&limit=1&name=b"), "name");
  EXPECT_EQ(RefusedField("name=a&n%61me=b"), "name");
  EXPECT_EQ(RefusedField("name"), "name");
}

TEST(Query, B_WhatIsNotWellFormedIsRefused) {
  for (const std::string_view text :
       {"name=%", "name=%2", "name=%zz", "name=%ff", "name=%c3", "name=%00", "name=%0a", "%zz=1",
        "=1", "&", "name=a&", "name=a&&limit=1", "name=%ed%a0%80"}) {
    if (text == "name=a&") continue;  // a trailing separator says nothing
    RefusedField(text);
  }
  EXPECT_EQ(Parsed("name=a&").Text("name"), "a");
}

TEST(Query, K4_ARawKeyAsAParameterIsNotRepeated) {
  const std::string raw = "p402_live_" + std::string(38, 'a');
  const auto query = Query::Parse(raw + "=1", kAllowed);
  ASSERT_FALSE(query.has_value());
  EXPECT_EQ(query.error().public_message.find(raw), std::string::npos);
  EXPECT_EQ(query.error().field.find(raw), std::string::npos);
}

TEST(Query, A3_NumbersHaveLimits) {
  EXPECT_EQ(*Parsed("").Number("limit", 100, 1, 1000), 100U);
  EXPECT_EQ(*Parsed("limit=1").Number("limit", 100, 1, 1000), 1U);
  EXPECT_EQ(*Parsed("limit=1000").Number("limit", 100, 1, 1000), 1000U);
  for (const std::string_view text :
       {"limit=0", "limit=1001", "limit=-1", "limit=x", "limit=1.5", "limit=", "limit=+1",
        "limit= 1", "limit=99999999999999999999", "limit=1x"}) {
    const auto number = Parsed(text).Number("limit", 100, 1, 1000);
    ASSERT_FALSE(number.has_value()) << text;
    EXPECT_EQ(number.error().field, "limit");
  }
}

TEST(Query, A5_FlagsAreTrueOrFalse) {
  EXPECT_FALSE(*Parsed("").Flag("flag"));
  EXPECT_FALSE(*Parsed("flag=false").Flag("flag"));
  EXPECT_TRUE(*Parsed("flag=true").Flag("flag"));
  for (const std::string_view text : {"flag=", "flag=1", "flag=True", "flag=maybe"}) {
    EXPECT_FALSE(Parsed(text).Flag("flag").has_value()) << text;
  }
}

TEST(Query, A3_TimesAndDurations) {
  EXPECT_EQ(FormatRfc3339(**Parsed("time=2026-04-15T12:00:00Z").Time("time")),
            "2026-04-15T12:00:00Z");
  EXPECT_EQ(*Parsed("").Time("time"), std::nullopt);
  EXPECT_FALSE(Parsed("time=tomorrow").Time("time").has_value());
  EXPECT_EQ(**Parsed("for=30d").Duration("for"), std::chrono::days(30));
  EXPECT_EQ(*Parsed("").Duration("for"), std::nullopt);
  EXPECT_FALSE(Parsed("for=soon").Duration("for").has_value());
}

TEST(Query, A3_TheNextPageKeepsTheFilters) {
  const Query query = Parsed("name=a+%26b&cursor=old&limit=7");
  EXPECT_EQ(query.WithCursor("n/w+"), "name=a%20%26b&limit=7&cursor=n%2Fw%2B");
  EXPECT_EQ(Parsed("").WithCursor("x"), "cursor=x");
}

}  // namespace
}  // namespace p402::api
