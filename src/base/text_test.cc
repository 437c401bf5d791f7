#include "base/text.h"

#include <gtest/gtest.h>

namespace p402 {
namespace {

std::string Json(std::string_view text) {
  std::string out = "x";
  AppendJsonString(out, text);
  EXPECT_EQ(out[0], 'x');
  return out.substr(1);
}

TEST(AppendJsonString, EscapesWhatJsonRequires) {
  EXPECT_EQ(Json(""), R"("")");
  EXPECT_EQ(Json("production-agent-v2"), R"("production-agent-v2")");
  EXPECT_EQ(Json("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(Json("\n\r\t\b\f"), R"("\n\r\t\u0008\u000c")");
  EXPECT_EQ(Json(std::string_view("\0\x1f", 2)), R"("\u0000\u001f")");
  EXPECT_EQ(Json("é€😀"), "\"é€😀\"");
}

TEST(AppendJsonString, EscapesWhatDisturbsATerminalOrAScript) {
  EXPECT_EQ(Json("\xe2\x80\xa8\xe2\x80\xa9"), R"("\u2028\u2029")");
  EXPECT_EQ(Json("\x7f\xc2\x9b"), R"("\u007f\u009b")");
}

TEST(AppendJsonString, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(Json("a\xff"
                 "b"),
            "\"a\xef\xbf\xbd"
            "b\"");
  EXPECT_EQ(Json("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
  EXPECT_EQ(Json("\xe2\x82\""), "\"\xef\xbf\xbd\xef\xbf\xbd\\\"\"");
}

// Every sequence of two code units around each border of RFC 3629's table.
TEST(Utf8, AcceptsExactlyTheWellFormed) {
  for (const char* good :
       {"", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "a\xc3\xa9z"}) {
    EXPECT_TRUE(IsValidUtf8(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x7f", "\xc3(", "\xc2\xc0",
        "\xe0\x9f\xbf", "\xe0\xa0", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf",
        "\xf0\x90\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff", "a\xc3"}) {
    EXPECT_FALSE(IsValidUtf8(bad)) << bad;
  }
  EXPECT_TRUE(IsValidUtf8(std::string_view("\0", 1)));
}

TEST(Utf8, CountsCodePoints) {
  EXPECT_EQ(CountCodePoints(""), 0u);
  EXPECT_EQ(CountCodePoints("abc"), 3u);
  EXPECT_EQ(CountCodePoints("é€😀"), 3u);
}

TEST(HasControlCharacter, A1_FindsC0DelC1AndSeparators) {
  EXPECT_FALSE(HasControlCharacter(""));
  EXPECT_FALSE(HasControlCharacter("Zoë's agent — v2 😀 ~"));
  for (const char* text :
       {"a\nb", "\t", "\x1b[31m", "\x7f", "\xc2\x80", "\xc2\x9f", "\xe2\x80\xa8", "\xe2\x80\xa9"}) {
    EXPECT_TRUE(HasControlCharacter(text)) << text;
  }
  EXPECT_TRUE(HasControlCharacter(std::string_view("a\0", 2)));
  EXPECT_FALSE(HasControlCharacter("\xc2\xa0"));
  EXPECT_FALSE(HasControlCharacter("\xe2\x80\xa7"));
}

TEST(PercentEncode, KeepsOnlyTheUnreserved) {
  EXPECT_EQ(PercentEncode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(PercentEncode("a b/c%\n"), "a%20b%2Fc%25%0A");
  EXPECT_EQ(PercentEncode("é"), "%C3%A9");
}

TEST(PercentDecode, UndoesEncoding) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  std::string out;
  ASSERT_TRUE(PercentDecode(PercentEncode(all), out));
  EXPECT_EQ(out, all);
  ASSERT_TRUE(PercentDecode("a+b%2fc", out));
  EXPECT_EQ(out, "a+b/c");
  ASSERT_TRUE(PercentDecode("", out));
  EXPECT_EQ(out, "");
}

TEST(PercentDecode, RefusesABrokenEscape) {
  std::string out;
  for (const char* text : {"%", "%2", "a%", "%zz", "%2g", "%g2", "%%20", "%+1", "% 1"}) {
    EXPECT_FALSE(PercentDecode(text, out)) << text;
  }
  // What comes after the text is not part of it.
  EXPECT_FALSE(PercentDecode(std::string_view("a%20").substr(0, 3), out));
  EXPECT_FALSE(PercentDecode(std::string_view("a%20").substr(0, 2), out));
}

}  // namespace
}  // namespace p402
