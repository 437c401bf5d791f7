#include "base/pen.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>

namespace p402 {
namespace {

TEST(Pen, WritesOneBehindTheOther) {
  std::string room(64, '#');
  Pen pen(room);
  pen.Text("");
  pen.Text("n=");
  pen.Number(0);
  pen.Character(',');
  pen.Number(std::numeric_limits<uint64_t>::max());
  char* const at = pen.Take(2);
  at[0] = '<';
  at[1] = '>';
  EXPECT_EQ(room.substr(0, pen.size()), "n=0,18446744073709551615<>");
  EXPECT_EQ(room[pen.size()], '#');
}

TEST(Pen, MayFillItsRoom) {
  std::array<char, 3> room{};
  Pen pen(room);
  pen.Text("abc");
  pen.Text("");
  EXPECT_EQ(pen.size(), 3U);
}

TEST(PenDeathTest, NeverWritesBehindItsRoom) {
  std::array<char, 3> room{};
  EXPECT_DEATH(Pen(room).Text("abcd"), "size <=");
  EXPECT_DEATH(Pen(room).Number(1234), "std::errc");
  EXPECT_DEATH(
      {
        Pen pen(room);
        pen.Text("abc");
        pen.Character('d');
      },
      "size <=");
}

}  // namespace
}  // namespace p402
