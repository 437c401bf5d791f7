#include "index/populator.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "base/testing/fakes.h"
#include "index/index_test.h"
#include "index/pages.h"

namespace p402::index {
namespace {

size_t ResidentPages(const Pages& pages) {
  std::vector<unsigned char> is_resident((pages.size() + 4095) / 4096);
  EXPECT_EQ(mincore(pages.data(), pages.size(), is_resident.data()), 0);
  size_t count = 0;
  for (const unsigned char one : is_resident) count += one & 1;
  return count;
}

TEST(Populator, TouchesEveryPageAndChangesNothing) {
  const auto pages = std::make_shared<Pages>(3 * kHugePageBytes + 4096, /*wants_huge=*/false);
  std::memset(pages->data() + kHugePageBytes, 7, 100);
  Populator populator;
  populator.Touch(pages->data(), pages->size());
  while (ResidentPages(*pages) < pages->size() / 4096) std::this_thread::yield();
  populator.Stop();
  EXPECT_EQ(pages->data()[kHugePageBytes + 99], std::byte{7});
  EXPECT_EQ(pages->data()[kHugePageBytes + 100], std::byte{0});
  EXPECT_EQ(pages->data()[pages->size() - 1], std::byte{0});
}

TEST(Populator, KeepsTheOwnerUntilItIsDone) {
  auto pages = std::make_shared<Pages>(kHugePageBytes, /*wants_huge=*/false);
  const std::weak_ptr<Pages> seen = pages;
  Populator populator;
  populator.Touch(pages->data(), pages->size(), pages);
  pages.reset();
  while (!seen.expired()) std::this_thread::yield();
}

TEST(Populator, BeginsAgainAfterAStop) {
  Pages pages(kHugePageBytes, /*wants_huge=*/false);
  Populator populator;
  populator.Stop();
  populator.Touch(pages.data(), 4096);
  populator.Stop();
  populator.Stop();
  populator.Touch(pages.data(), pages.size());
  while (ResidentPages(pages) < pages.size() / 4096) std::this_thread::yield();
}

// Much is being touched while it is given back, used, and given back again.
TEST_F(IndexTest, MayBeClearedWhileItsMemoryIsMadeReady) {
  for (int round = 0; round < 3; ++round) {
    index_.Reserve(Index::kKeysToPopulate);
    const Known known = Put();
    EXPECT_EQ(Ask(known), Decision::kValid);
    if (round == 1) index_.Reserve(Index::kKeysToPopulate);
    index_.TakeMarks(SIZE_MAX);
    index_.Clear();
    EXPECT_EQ(Ask(known), Decision::kNotFound);
  }
}

}  // namespace
}  // namespace p402::index
