#include "net/buffer.h"

#include <gtest/gtest.h>

#include <string>

namespace p402::net {
namespace {

TEST(Buffer, KeepsBytesInOrderWhileItGrows) {
  Buffer buffer;
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    const std::string text = std::to_string(i) + ",";
    buffer.Append(text);
    expected += text;
    if (i % 3 == 0 && buffer.size() >= 4) {
      buffer.Consume(4);
      expected.erase(0, 4);
    }
  }
  EXPECT_EQ(buffer.view(), expected);
}

TEST(Buffer, K4_WipesWhatIsConsumed) {
  Buffer buffer;
  buffer.Append("p402_live_secret and more");
  const char* const at = buffer.data();
  buffer.Consume(16);
  EXPECT_EQ(std::string(at, 16), std::string(16, '\0'));
  EXPECT_EQ(buffer.view(), " and more");
}

TEST(Buffer, K4_WipesTheTailThatErasingLeaves) {
  Buffer buffer;
  buffer.Append("head<secret>tail");
  const char* const at = buffer.data();
  buffer.Erase(4, 8);
  EXPECT_EQ(buffer.view(), "headtail");
  EXPECT_EQ(std::string(at + 8, 8), std::string(8, '\0'));
}

TEST(Buffer, K4_WipesTheTailThatMovingToTheFrontLeaves) {
  Buffer buffer;
  buffer.Append(std::string(4000, 'a') + "secret");
  const char* const block = buffer.data();
  buffer.Consume(4000);
  buffer.Room(1000);
  EXPECT_EQ(buffer.data(), block);
  EXPECT_EQ(buffer.view(), "secret");
  EXPECT_EQ(std::string(block + 4000, 6), std::string(6, '\0'));
}

TEST(Buffer, GivesRoomForAtLeastWhatIsAsked) {
  Buffer buffer;
  EXPECT_GE(buffer.Room(1).size(), 1u);
  EXPECT_GE(buffer.Room(100'000).size(), 100'000u);
  buffer.Release();
  EXPECT_EQ(buffer.capacity(), 0u);
  EXPECT_TRUE(buffer.empty());
}

}  // namespace
}  // namespace p402::net
