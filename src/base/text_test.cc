#include "base/text.h"

#include <gtest/gtest.h>

namespace p402 {
namespace {

std::string Json(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

TEST(JsonString, EscapesWhatMustBe) {
  EXPECT_EQ(Json("a\"b\\c/"), R"("a\"b\\c/")");
  EXPECT_EQ(Json("line\r\nnext\ttab"), R"("line\r\nnext\ttab")");
  EXPECT_EQ(Json(std::string_view("\0\x1f\x7f", 3)), R"("\u0000\u001f\u007f")");
  EXPECT_EQ(Json("\xe2\x80\xa8\xe2\x80\xa9"), R"("\u2028\u2029")");
  EXPECT_EQ(Json("Gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x91"), "\"Gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x91\"");
}

TEST(JsonString, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(Json("a\xff"), "\"a\xef\xbf\xbd\"");
  EXPECT_EQ(Json("\xc3"), "\"\xef\xbf\xbd\"");
}

TEST(Utf8, RefusesOverlongFormsSurrogatesAndStumps) {
  for (std::string_view good : {"", "a", "\xc2\x80", "\xe0\xa0\x80", "\xf0\x90\x80\x80",
                                "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"}) {
    EXPECT_TRUE(IsValidUtf8(good));
  }
  for (std::string_view bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xed\xa0\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xc3(", "\xff"}) {
    EXPECT_FALSE(IsValidUtf8(bad));
  }
}

TEST(Utf8, CountsCodePoints) {
  EXPECT_EQ(CountCodePoints(""), 0u);
  EXPECT_EQ(CountCodePoints("Gr\xc3\xbc\xc3\x9f"), 4u);
  EXPECT_EQ(CountCodePoints("\xf0\x9f\x94\x91"), 1u);
}

TEST(Utf8, KnowsControlCharacters) {
  for (std::string_view text : {"a\n", "\x7f", "\xc2\x80", "\xc2\x9f", "\xe2\x80\xa8"}) {
    EXPECT_TRUE(HasControlCharacter(text));
  }
  for (std::string_view text : {"", "a b", "\xc2\xa0", "\xe2\x80\xa7"}) {
    EXPECT_FALSE(HasControlCharacter(text));
  }
}

TEST(Percent, EncodesAllButTheUnreserved) {
  EXPECT_EQ(PercentEncode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(PercentEncode("a b/\xc3\xbc%"), "a%20b%2F%C3%BC%25");
}

TEST(Percent, DecodesWhatItEncodes) {
  std::string out;
  ASSERT_TRUE(PercentDecode("a%20b%2f%C3%BC+", out));
  EXPECT_EQ(out, "a b/\xc3\xbc+");
  for (const char* bad : {"%", "%4", "%zz", "a%2", "%%20"}) {
    EXPECT_FALSE(PercentDecode(bad, out)) << bad;
  }
}

}  // namespace
}  // namespace p402
