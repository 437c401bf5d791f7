#include "cli/display.h"

#include <gtest/gtest.h>

namespace p402::cli {
namespace {

const WallTime kNow = *ParseRfc3339("2026-04-15T12:00:00Z");

TEST(Display, C3_CleanTakesWhatSteersATerminal) {
  EXPECT_EQ(Clean("plain Größe 鍵 🔑"), "plain Größe 鍵 🔑");
  EXPECT_EQ(Clean("a\x1b[31mb\nc\td"), "a�[31mb�c�d");
  EXPECT_EQ(Clean("x\xC2\x9Bz"), "x�z");  // C1 control sequence introducer
  EXPECT_EQ(Clean("\xE2\x80\xAE"
                  "evil"),
            "�evil");  // right-to-left override
  EXPECT_EQ(Clean("\xE2\x81\xA6"
                  "evil"),
            "�evil");                        // isolate
  EXPECT_EQ(Clean("bad\xFF\xC3"), "bad��");  // not UTF-8
  EXPECT_EQ(Clean("\x7F"), "�");
}

TEST(Display, C3_CleanJsonStaysTheSameJson) {
  EXPECT_EQ(CleanJson("{\"a\":\"\xC2\x9B\"}\n"), "{\"a\":\"\\u009b\"}\n");
  EXPECT_EQ(CleanJson("{\"a\":\"\xE2\x80\xAE\"}"), "{\"a\":\"\\u202e\"}");
  EXPECT_EQ(CleanJson("{\"a\": \"Größe\"}"), "{\"a\": \"Größe\"}");
}

TEST(Display, C3_RelativeTimes) {
  EXPECT_EQ(RelativeTime("2026-04-15T12:00:00Z", kNow), "just now");
  EXPECT_EQ(RelativeTime("2026-04-15T11:59:59Z", kNow), "just now");
  EXPECT_EQ(RelativeTime("2026-04-15T11:59:20Z", kNow), "40 seconds ago");
  EXPECT_EQ(RelativeTime("2026-04-15T11:59:00Z", kNow), "1 minute ago");
  EXPECT_EQ(RelativeTime("2026-04-15T11:57:00Z", kNow), "3 minutes ago");
  EXPECT_EQ(RelativeTime("2026-04-15T10:00:00Z", kNow), "2 hours ago");
  EXPECT_EQ(RelativeTime("2026-04-13T12:00:00Z", kNow), "2 days ago");
  EXPECT_EQ(RelativeTime("2026-02-13T12:00:00Z", kNow), "2 months ago");
  EXPECT_EQ(RelativeTime("2024-04-13T12:00:00Z", kNow), "2 years ago");
  EXPECT_EQ(RelativeTime("2026-04-20T12:00:00Z", kNow), "in 5 days");
  EXPECT_EQ(RelativeTime("soon\x1b", kNow), "soon�");
}

TEST(Display, C3_TableIsAlignedByCharacters) {
  const Look look{.is_table = true, .has_colour = false, .now = kNow};
  const auto text =
      RenderTable({"ID", "NAME"},
                  {{PlainCell("1"), PlainCell("Größe")}, {PlainCell("22"), PlainCell("x")}}, look);
  EXPECT_EQ(text, "ID  NAME\n1   Größe\n22  x\n");
}

TEST(Display, C3_TableCutsLongCellsOnATerminalOnly) {
  const std::string name(50, 'x');
  const Look terminal{.is_table = true, .has_colour = false, .now = kNow};
  EXPECT_EQ(RenderTable({"N"}, {{PlainCell(name)}}, terminal),
            "N\n" + std::string(39, 'x') + "…\n");
  EXPECT_EQ(RenderTable({"N"}, {{PlainCell(std::string(40, 'x'))}}, terminal),
            "N\n" + std::string(40, 'x') + "\n");
  EXPECT_EQ(RenderTable({"N"}, {{PlainCell(name), PlainCell("b")}}, Look{}), name + "\tb\n");
}

TEST(Display, C3_ColourOnlyWhereItIsWanted) {
  const Look colour{.is_table = true, .has_colour = true, .now = kNow};
  EXPECT_EQ(colour.Status("active"), "\033[32mactive\033[0m");
  EXPECT_EQ(colour.Status("revoked"), "\033[31mrevoked\033[0m");
  EXPECT_EQ(colour.Status("expired"), "\033[33mexpired\033[0m");
  EXPECT_EQ(Look{}.Status("active"), "active");
  // Colour does not count as width.
  const auto text = RenderTable(
      {"S", "N"}, {{Cell{.text = "active", .shown = colour.Status("active")}, PlainCell("a")}},
      colour);
  EXPECT_NE(text.find("\033[32mactive\033[0m  a\n"), std::string::npos);
  EXPECT_NE(text.find("\033[2mS\033[0m       \033[2mN\033[0m\n"), std::string::npos);
}

TEST(Display, C3_Fields) {
  EXPECT_EQ(RenderFields({{"id", PlainCell("1")}, {"name", PlainCell("n")}}, Look{}),
            "id\t1\nname\tn\n");
  const Look look{.is_table = true, .has_colour = false, .now = kNow};
  EXPECT_EQ(RenderFields({{"id", PlainCell("1")}, {"name", PlainCell("n")}}, look),
            "id    1\nname  n\n");
}

}  // namespace
}  // namespace p402::cli
