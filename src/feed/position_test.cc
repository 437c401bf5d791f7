#include "feed/position.h"

#include <gtest/gtest.h>

#include <vector>

namespace p402::feed {
namespace {

std::vector<store::Change> Log(int64_t from, int64_t to) {
  std::vector<store::Change> log;
  for (int64_t seq = from; seq <= to; ++seq) {
    store::Change change;
    change.seq = seq;
    change.tag = static_cast<uint64_t>(seq) * 100;
    log.push_back(change);
  }
  return log;
}

ErrorCode CodeOf(const Position& position, const std::vector<store::Change>& batch) {
  auto fresh = position.NewIn(batch);
  EXPECT_FALSE(fresh);
  return fresh ? ErrorCode::kInternal : fresh.error().code;
}

TEST(Position, AnEmptyLogHasNothingNew) {
  auto fresh = Position{}.NewIn({});
  ASSERT_TRUE(fresh);
  EXPECT_TRUE(fresh->empty());
  EXPECT_EQ(Position{}.read_from(), 1);
}

TEST(Position, TheFirstRowProvesTheHistoryAndIsNotNew) {
  const Position position{.seq = 5, .tag = 500};
  EXPECT_EQ(position.read_from(), 5);
  const auto log = Log(5, 7);
  auto fresh = position.NewIn(log);
  ASSERT_TRUE(fresh);
  ASSERT_EQ(fresh->size(), 2u);
  EXPECT_EQ(fresh->front().seq, 6);
}

TEST(Position, FromTheBeginningEveryRowIsNew) {
  const auto log = Log(1, 3);
  EXPECT_EQ(Position{}.NewIn(log)->size(), 3u);
}

TEST(Position, R1_AnotherTagIsAnotherHistory) {
  EXPECT_EQ(CodeOf({.seq = 5, .tag = 501}, Log(5, 7)), ErrorCode::kCorrupt);
}

TEST(Position, R1_AMissingRowIsATrimmedLog) {
  EXPECT_EQ(CodeOf({.seq = 5, .tag = 500}, {}), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf({.seq = 5, .tag = 500}, Log(6, 7)), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf({}, Log(2, 3)), ErrorCode::kCorrupt);
}

TEST(Position, R1_AGapIsNotSkipped) {
  auto log = Log(5, 8);
  log.erase(log.begin() + 2);
  EXPECT_EQ(CodeOf({.seq = 5, .tag = 500}, log), ErrorCode::kCorrupt);
  log = Log(5, 8);
  std::swap(log[1], log[2]);
  EXPECT_EQ(CodeOf({.seq = 5, .tag = 500}, log), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace p402::feed
