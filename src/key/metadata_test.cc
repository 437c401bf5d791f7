#include "key/metadata.h"

#include <gtest/gtest.h>

#include <string>

#include "base/limits.h"

namespace p402::key {
namespace {

std::string Compact(std::string_view json) {
  const auto compact = CompactMetadata(json);
  if (compact) return *compact;
  EXPECT_EQ(compact.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(compact.error().field, "metadata");
  return "refused";
}

// {"a":{"a":…{}…}}
std::string Nested(size_t levels) {
  std::string text = "{}";
  for (size_t i = 1; i < levels; ++i) text = "{\"a\":" + text + "}";
  return text;
}

TEST(Metadata, A1_IsKeptCompactAndInItsOrder) {
  EXPECT_EQ(Compact("{}"), "{}");
  EXPECT_EQ(Compact(" {\n\t\"z\" : [ 1 , -2.50e+3 , true, false , null ] ,\r\"a\":{ } } "),
            R"({"z":[1,-2.50e+3,true,false,null],"a":{}})");
  EXPECT_EQ(Compact(R"({"\u0061\u00e9\ud83d\ude00\/":"\"\\\b\f\n\r\t"})"),
            "{\"a\xC3\xA9\xF0\x9F\x98\x80/\":\"\\\"\\\\\\u0008\\u000c\\n\\r\\t\"}");
}

TEST(Metadata, A1_WhatIsNoObjectIsRefused) {
  for (const char* text : {"",
                           " ",
                           "null",
                           "[]",
                           "1",
                           "\"x\"",
                           "{",
                           "}",
                           "{}{}",
                           "{} x",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{,}",
                           "{a:1}",
                           "{'a':1}",
                           "{\"a\" 1}",
                           "{\"a\":1 \"b\":2}",
                           "{\"a\":[1,]}",
                           "{\"a\":[1 2]}",
                           "{\"a\":[}",
                           "{\"a\":tru}",
                           "{\"a\":nullx}",
                           "{\"a\":01}",
                           "{\"a\":+1}",
                           "{\"a\":1.}",
                           "{\"a\":.5}",
                           "{\"a\":1e}",
                           "{\"a\":-}",
                           "{\"a\":NaN}",
                           "{\"a\":\"}",
                           "{\"a\":\"\\x\"}",
                           "{\"a\":\"\\u12g4\"}",
                           "{\"a\":\"\\ud800\"}",
                           "{\"a\":\"\\ud800\\n\"}",
                           "{\"a\":\"\\ud800\\u0041\"}",
                           "{\"a\":\"\\udc00\"}",
                           "{\"a\":\"\n\"}",
                           "{\"a\":\"\x80\"}",
                           "{\"a\":\"\xED\xA0\x80\"}",
                           "/**/{}",
                           "{\"a\":1}//"}) {
    EXPECT_EQ(Compact(text), "refused") << text;
  }
  EXPECT_EQ(Compact(std::string_view("{}\0", 3)), "refused");
  EXPECT_EQ(Compact(std::string_view("{\"a\":\"\0\"}", 9)), "refused");
}

TEST(Metadata, A1_ANameIsThereOnce) {
  EXPECT_EQ(Compact(R"({"a":1,"a":2})"), "refused");
  EXPECT_EQ(Compact(R"({"a":1,"\u0061":2})"), "refused");
  EXPECT_EQ(Compact(R"({"x":{"a":1,"a":2}})"), "refused");
  EXPECT_EQ(Compact(R"({"a":{"a":1},"b":{"a":2}})"), R"({"a":{"a":1},"b":{"a":2}})");
}

TEST(Metadata, A1_LimitsAtNAndOneMore) {
  const auto of_size = [](size_t bytes) {
    return R"({ "m":")" + std::string(bytes - 8, 'm') + "\"}";  // the space is not kept
  };
  EXPECT_EQ(Compact(of_size(limits::kMetadataBytes)).size(), limits::kMetadataBytes);
  EXPECT_EQ(Compact(of_size(limits::kMetadataBytes + 1)), "refused");
  EXPECT_EQ(Compact(Nested(limits::kJsonDepth - 1)), Nested(limits::kJsonDepth - 1));
  EXPECT_EQ(Compact(Nested(limits::kJsonDepth)), "refused");
}

}  // namespace
}  // namespace p402::key
