#include "api/request_ids.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace p402::api {
namespace {

constexpr WallTime kNow{Millis(1'776'254'400'123)};

TEST(RequestIds, AreTypeIdsOfAUuid7WithTheTimeOfTheRequest) {
  RequestIds ids(/*random_start=*/~uint64_t{0});
  for (int i = 0; i < 5000; ++i) {
    const std::string id = ids.Next(kNow).ToString();
    const auto parts = DecodeTypeId(id);
    ASSERT_TRUE(parts) << id;
    EXPECT_EQ(parts->prefix, "req");
    EXPECT_EQ(parts->uuid[6] >> 4, 7);
    EXPECT_EQ(parts->uuid[8] >> 6, 2);
    int64_t ms = 0;
    for (int at = 0; at < 6; ++at) ms = ms << 8 | parts->uuid[at];
    EXPECT_EQ(ms, kNow.time_since_epoch().count());
  }
}

TEST(RequestIds, AreDifferentFromThreadToThread) {
  constexpr size_t kThreads = 8;
  constexpr size_t kEach = 2000;
  RequestIds ids(7);
  std::vector<std::vector<std::string>> made(kThreads);
  std::vector<std::thread> threads;
  for (auto& mine : made) {
    threads.emplace_back([&] {
      for (size_t i = 0; i < kEach; ++i) mine.push_back(ids.Next(kNow).ToString());
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& mine : made) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), kThreads * kEach);
}

TEST(RequestIds, DifferFromThoseOfAnotherServer) {
  RequestIds ours(1);
  RequestIds theirs(uint64_t{1} << 40);
  EXPECT_NE(ours.Next(kNow), theirs.Next(kNow));
}

}  // namespace
}  // namespace p402::api
