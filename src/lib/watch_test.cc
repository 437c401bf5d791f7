#include "lib/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace p402::lib {
namespace {

using ::testing::ElementsAre;

class WatchTest : public ::testing::Test {
 protected:
  void Note(const std::string& what) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(what);
  }
  void Change(Watch& watch, int64_t seq, store::ChangeKind kind, bool is_of_a_key = true) {
    const key::Record record{.id = {}, .account = {}, .version = seq};
    const store::Change change{.seq = seq, .kind = kind, .account = {}};
    watch.OnChange(change, is_of_a_key ? &record : nullptr,
                   [this, seq] { Note("applied " + std::to_string(seq)); });
  }

  RealClock clock_;
  std::mutex mutex_;
  std::vector<std::string> notes_;
};

TEST_F(WatchTest, R4_AChangeIsAppliedWhenTheHostHasBeenTold) {
  std::promise<void> let_go;
  auto watch = std::make_unique<Watch>(
      [&, gate = let_go.get_future().share()](const Event& event) {
        gate.wait();
        Note((event.is_revoked ? "revoked " : "restricted ") + std::to_string(event.seq));
      },
      clock_);
  Change(*watch, 1, store::ChangeKind::kRevoke);
  Change(*watch, 2, store::ChangeKind::kRestrict);
  Note("both are under way");
  let_go.set_value();
  watch.reset();  // tells what is waiting
  EXPECT_THAT(notes_, ElementsAre("both are under way", "revoked 1", "applied 1", "restricted 2",
                                  "applied 2"));
}

TEST_F(WatchTest, R4_WhatTakesNothingAwayIsNotTold) {
  auto watch = std::make_unique<Watch>([&](const Event&) { Note("told"); }, clock_);
  Change(*watch, 1, store::ChangeKind::kPermit);
  Change(*watch, 2, store::ChangeKind::kUpdate);
  Change(*watch, 3, store::ChangeKind::kAccount, /*is_of_a_key=*/false);
  EXPECT_THAT(notes_, ElementsAre("applied 1", "applied 2", "applied 3"));
  watch.reset();
  EXPECT_EQ(notes_.size(), 3U);
}

TEST_F(WatchTest, R4_KnowsTheThreadThatIsTelling) {
  bool is_inside = false;
  Watch* self = nullptr;
  auto watch =
      std::make_unique<Watch>([&](const Event&) { is_inside = self->is_telling_here(); }, clock_);
  self = watch.get();
  EXPECT_FALSE(watch->is_telling_here());
  Change(*watch, 1, store::ChangeKind::kRevoke);
  watch.reset();
  EXPECT_TRUE(is_inside);
}

}  // namespace
}  // namespace p402::lib
