#include "bench/load/request.h"

#include <gtest/gtest.h>

namespace p402::bench {
namespace {

TEST(RequestTemplate, PutsTheItemInItsPlace) {
  const auto request = RequestTemplate::Parse("GET /x\r\nKey: {item}\r\n\r\n", 3);
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->has_item());
  std::string copy = request->text();
  request->Fill(copy, "abc");
  EXPECT_EQ(copy, "GET /x\r\nKey: abc\r\n\r\n");
  request->Fill(copy, "xyz");
  EXPECT_EQ(copy, "GET /x\r\nKey: xyz\r\n\r\n");
}

TEST(RequestTemplate, NeedsNoItem) {
  const auto request = RequestTemplate::Parse("GET / HTTP/1.1\r\n\r\n", 0);
  ASSERT_TRUE(request);
  EXPECT_FALSE(request->has_item());
  std::string copy = request->text();
  request->Fill(copy, "");
  EXPECT_EQ(copy, "GET / HTTP/1.1\r\n\r\n");
}

TEST(RequestTemplate, RefusesTwoPlaces) {
  EXPECT_FALSE(RequestTemplate::Parse("{item}{item}", 3));
}

}  // namespace
}  // namespace p402::bench
