#include "base/random.h"

#include <gtest/gtest.h>

#include <set>

namespace p402 {
namespace {

TEST(SystemRandom, FillsEveryByteAndNeverRepeats) {
  SystemRandom random;
  std::array<bool, 32> has_changed{};
  std::set<uint64_t> seen;
  for (int i = 0; i < 64; ++i) {
    std::array<uint8_t, 32> bytes{};
    random.Fill(bytes);
    for (size_t n = 0; n < bytes.size(); ++n) has_changed[n] = has_changed[n] || bytes[n] != 0;
    seen.insert(random.Next64());
  }
  for (bool changed : has_changed) EXPECT_TRUE(changed);
  EXPECT_EQ(seen.size(), 64u);
}

}  // namespace
}  // namespace p402
