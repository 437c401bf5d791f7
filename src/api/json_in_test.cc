#include "api/json_in.h"

#include "base/limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace p402::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

JsonBody Parsed(std::string_view text) {
  auto body = JsonBody::Parse(text);
  EXPECT_TRUE(body.has_value()) << text;
  return body ? *std::move(body) : JsonBody();
}

Error ParseError(std::string_view text) {
  const auto body = JsonBody::Parse(text);
  EXPECT_FALSE(body.has_value()) << text;
  return body ? Error{} : body.error();
}

TEST(JsonBody, B_WhatIsNoJsonIsRefused) {
  for (const std::string_view text : {"",
                                      " ",
                                      "{",
                                      "}",
                                      "{]",
                                      R"({"a":})",
                                      R"({"a":1,})",
                                      "{'a':1}",
                                      "{}x",
                                      "{}{}",
                                      "nul",
                                      R"({"a":NaN})",
                                      R"({"a":01})",
                                      R"({"a":+1})",
                                      R"({"a":"\x"})",
                                      R"({"a":"\ud800"})",
                                      "{\"a\":\"a\tb\"}",
                                      "\xef\xbb\xbf{}",
                                      "/* */{}",
                                      "{\"a\":\"\xff\"}",
                                      "{\"\xff\":1}",
                                      "{\"a\":\"\xed\xa0\x80\"}",
                                      "{\"a\":\"\xc0\xaf\"}",
                                      "{\"a\":\"\xf4\x90\x80\x80\"}"}) {
    EXPECT_EQ(ParseError(text).code, ErrorCode::kInvalidArgument) << text;
  }
}

TEST(JsonBody, B_WhatIsNoObjectIsRefused) {
  for (const std::string_view text : {"[]", "\"x\"", "5", "true", "null"}) {
    EXPECT_THAT(ParseError(text).public_message, HasSubstr("object")) << text;
  }
}

TEST(JsonBody, B_AFieldThatIsThereTwiceIsRefusedByName) {
  EXPECT_EQ(ParseError(R"({"name":"x","name":"y"})").field, "name");
  EXPECT_EQ(ParseError(R"({"metadata":{"a":1,"b":2,"a":3}})").field, "a");
  EXPECT_EQ(ParseError(R"({"metadata":[{"x":{}},{"y":1,"\u0079":2}]})").field, "y");
}

TEST(JsonBody, B_SameNamesInDifferentObjectsAreFine) {
  const auto body = Parsed(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]})");
  EXPECT_EQ(body.Canonical(), R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]})");
}

TEST(JsonBody, B_DepthAtNAndNPlusOne) {
  const auto nested = [](size_t depth) {
    std::string text = R"({"m":)";
    for (size_t i = 1; i < depth; ++i) text += '[';
    for (size_t i = 1; i < depth; ++i) text += ']';
    return text + "}";
  };
  EXPECT_TRUE(JsonBody::Parse(nested(limits::kJsonDepth)).has_value());
  EXPECT_THAT(ParseError(nested(limits::kJsonDepth + 1)).public_message, HasSubstr("16 levels"));
}

TEST(JsonBody, B_ManyFieldsCostNoMoreThanTheirSize) {
  std::string text = "{";
  for (int i = 0; i < 5000; ++i) text += (i ? ",\"" : "\"") + std::to_string(i) + "\":1";
  EXPECT_TRUE(JsonBody::Parse(text + "}").has_value());
  EXPECT_EQ(ParseError(text + ",\"77\":1}").field, "77");
}

TEST(JsonBody, A1_AnUnknownFieldIsRefusedByName) {
  const auto body = Parsed(R"({"name":"x","expire_at":1})");
  EXPECT_TRUE(body.AllowOnly("name expire_at").has_value());
  const auto refused = body.AllowOnly("name expires_at");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().field, "expire_at");
  EXPECT_THAT(refused.error().public_message, HasSubstr("expire_at"));
  EXPECT_FALSE(body.AllowOnly("").has_value());
  EXPECT_TRUE(JsonBody().AllowOnly("").has_value());
}

TEST(JsonBody, K4_ARawKeyAsAFieldNameIsNotRepeated) {
  const std::string raw = "p402_live_" + std::string(38, 'a');
  const auto refused = Parsed("{\"" + raw + "\":1}").AllowOnly("name");
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().field, Not(HasSubstr(raw)));
  EXPECT_THAT(refused.error().public_message, Not(HasSubstr(raw)));
  EXPECT_THAT(ParseError("{\"" + raw + "\":1,\"" + raw + "\":2}").public_message,
              Not(HasSubstr(raw)));
}

TEST(JsonBody, B_AWrongTypeIsRefusedByName) {
  const auto body = Parsed(R"({"t":5,"b":"true","l":["a",1],"l2":"a","o":[],"w":7,"d":24})");
  EXPECT_EQ(body.Text("t").error().field, "t");
  EXPECT_EQ(body.Bool("b").error().field, "b");
  EXPECT_EQ(body.Texts("l").error().field, "l");
  EXPECT_EQ(body.Texts("l2").error().field, "l2");
  EXPECT_EQ(body.Object("o").error().field, "o");
  EXPECT_EQ(body.Time("w").error().field, "w");
  EXPECT_EQ(body.Duration("d").error().field, "d");
  EXPECT_EQ(body.RequiredText("missing").error().field, "missing");
}

TEST(JsonBody, B_NullIsAbsentOnlyWhereThatMeansSomething) {
  const auto body = Parsed(R"({"n":null})");
  EXPECT_TRUE(body.IsNull("n"));
  EXPECT_TRUE(body.Has("n"));
  EXPECT_FALSE(body.Text("n").has_value());
  EXPECT_FALSE(body.Bool("n").has_value());
  EXPECT_FALSE(body.Texts("n").has_value());
  EXPECT_FALSE(body.Duration("n").has_value());
  EXPECT_EQ(*body.Time("n"), std::nullopt);
  EXPECT_EQ(*body.Object("n"), std::nullopt);
}

TEST(JsonBody, A1_FieldsAreRead) {
  const auto body =
      Parsed(R"({"t":"a\u00e4\ud83d\ude00\"","b":true,"l":["x","y"],"o":{"k":[1,null]},)"
             R"("w":"2026-04-15T12:00:00Z","d":"24h"})");
  EXPECT_EQ(**body.Text("t"), "aä😀\"");
  EXPECT_EQ(**body.Bool("b"), true);
  EXPECT_THAT(**body.Texts("l"), ElementsAre("x", "y"));
  EXPECT_EQ(**body.Object("o"), R"({"k":[1,null]})");
  EXPECT_EQ(FormatRfc3339(**body.Time("w")), "2026-04-15T12:00:00Z");
  EXPECT_EQ(**body.Duration("d"), std::chrono::hours(24));
  EXPECT_EQ(*body.Text("absent"), std::nullopt);
}

TEST(JsonBody, A1_MetadataKeepsNumbersAndOrderAsWritten) {
  const auto body = Parsed(
      R"({"m": { "z" : 1.10, "a" : 123456789012345678901234567890, "e":1e400, "s":"\/" } })");
  EXPECT_EQ(**body.Object("m"),
            R"({"z":1.10,"a":123456789012345678901234567890,"e":1e400,"s":"/"})");
}

TEST(JsonBody, A10_CanonicalIgnoresOrderAndSpace) {
  EXPECT_EQ(Parsed(R"({ "b":{"y":[2,1],"x":1}, "a":"\u0061" })").Canonical(),
            Parsed(R"({"a":"a","b":{"x":1,"y":[2,1]}})").Canonical());
  EXPECT_NE(Parsed(R"({"a":[1,2]})").Canonical(), Parsed(R"({"a":[2,1]})").Canonical());
}

TEST(JsonBody, B_LongTextsArriveWhole) {
  const std::string escaped(60'000, 'x');
  EXPECT_EQ(**Parsed("{\"a\":\"\\u0041" + escaped + "\"}").Text("a"), "A" + escaped);
}

TEST(IsOneOf, FindsWholeWords) {
  EXPECT_TRUE(IsOneOf("a", "a"));
  EXPECT_TRUE(IsOneOf("b", "a b c"));
  EXPECT_TRUE(IsOneOf("c", "a b c"));
  EXPECT_FALSE(IsOneOf("", "a b"));
  EXPECT_FALSE(IsOneOf("", ""));
  EXPECT_FALSE(IsOneOf("a b", "a b"));
  EXPECT_FALSE(IsOneOf("ab", "a b abc"));
}

TEST(ShowableName, K4_ShowsShortWordsOnly) {
  EXPECT_EQ(ShowableName("expire_at"), "expire_at");
  EXPECT_EQ(ShowableName(std::string(20, 'a')), std::string(20, 'a'));
  for (const std::string& hidden : {std::string(21, 'a'), std::string("a b"), std::string("ä"),
                                    std::string("a\n"), std::string()}) {
    EXPECT_EQ(ShowableName(hidden), "(not shown)");
  }
}

}  // namespace
}  // namespace p402::api
