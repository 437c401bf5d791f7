#include "base/random.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <thread>
#include <vector>

namespace p402 {
namespace {

TEST(SystemRandom, K2_DoesNotRepeatItself) {
  SystemRandom random;
  std::set<uint64_t> seen;
  for (int i = 0; i < 10'000; ++i) seen.insert(random.Next64());
  EXPECT_EQ(seen.size(), 10'000u);
}

TEST(SystemRandom, FillsEveryByte) {
  SystemRandom random;
  std::array<uint8_t, 64> ever{};
  for (int i = 0; i < 64; ++i) {
    std::array<uint8_t, 64> bytes{};
    random.Fill(bytes);
    for (size_t n = 0; n < bytes.size(); ++n) ever[n] |= bytes[n];
  }
  for (uint8_t byte : ever) EXPECT_NE(byte, 0);
  random.Fill({});
}

// Half of the bits are set: of 640,000, 40 standard deviations are 16,000.
TEST(SystemRandom, K2_SetsHalfOfTheBits) {
  SystemRandom random;
  int ones = 0;
  for (int i = 0; i < 10'000; ++i) ones += std::popcount(random.Next64());
  EXPECT_NEAR(ones, 320'000, 16'000);
}

TEST(SystemRandom, ThreadsDrawDifferentNumbers) {
  SystemRandom random;
  std::vector<std::vector<uint64_t>> drawn(4);
  {
    std::vector<std::jthread> threads;
    for (auto& numbers : drawn) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) numbers.push_back(random.Next64());
      });
    }
  }
  std::set<uint64_t> all;
  for (const auto& numbers : drawn) all.insert(numbers.begin(), numbers.end());
  EXPECT_EQ(all.size(), 4000u);
}

}  // namespace
}  // namespace p402
