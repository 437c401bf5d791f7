#include "service/audit_cursor.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "base/testing/fakes.h"

namespace p402::service {
namespace {

class AuditCursorsTest : public ::testing::Test {
 protected:
  testing::FakeClock clock_;
  testing::SeededRandom random_;
  Uuid7Generator ids_{clock_, random_};
  AuditCursors cursors_{random_};
  key::AccountId account_ = key::AccountId::New(ids_);
};

TEST_F(AuditCursorsTest, A12_OpenGivesWhatSealTook) {
  for (const int64_t number : {int64_t{1}, int64_t{255}, int64_t{256}, int64_t{1} << 40,
                               std::numeric_limits<int64_t>::max()}) {
    const auto cursor = cursors_.Seal(account_, number);
    EXPECT_EQ(cursor.size(), 64u);
    EXPECT_EQ(cursors_.Open(account_, cursor), number);
  }
}

TEST_F(AuditCursorsTest, A12_AnotherAccountOrServerCannotUseIt) {
  const auto cursor = cursors_.Seal(account_, 7);
  EXPECT_FALSE(cursors_.Open(key::AccountId::New(ids_), cursor));
  EXPECT_FALSE(AuditCursors(random_).Open(account_, cursor));
}

TEST_F(AuditCursorsTest, A12_NoDigitCanBeAltered) {
  const auto cursor = cursors_.Seal(account_, 7);
  for (size_t i = 0; i < cursor.size(); ++i) {
    auto altered = cursor;
    altered[i] = altered[i] == '0' ? '1' : '0';
    EXPECT_FALSE(cursors_.Open(account_, altered)) << i;
  }
  for (const auto& bad : {std::string(), std::string("7"), cursor.substr(1), cursor + "0"}) {
    EXPECT_FALSE(cursors_.Open(account_, bad)) << bad;
  }
}

// Every byte of the cursors of neighbours takes many values: nothing counts up in them.
TEST_F(AuditCursorsTest, A12_NothingCountsUp) {
  std::vector<std::set<std::string>> seen(32);
  for (int64_t number = 1; number <= 64; ++number) {
    const auto cursor = cursors_.Seal(account_, number);
    for (size_t i = 0; i < seen.size(); ++i) seen[i].insert(cursor.substr(2 * i, 2));
  }
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_GT(seen[i].size(), 32u) << i;
}

}  // namespace
}  // namespace p402::service
