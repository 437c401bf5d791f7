#include <algorithm>

#include "service/service_test.h"

namespace p402::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ReadTest : public ServiceTest {
 protected:
  static std::vector<key::KeyId> Ids(const ListResult& result) {
    std::vector<key::KeyId> ids;
    for (const auto& record : result.keys) ids.push_back(record.id);
    return ids;
  }
  void Use(const Caller& caller) {
    // As Verify does, for a key whose raw text nobody knows.
    index_.ReturnMarks({{.key = caller.record->id, .at = clock_.Now()}});
  }
};

TEST_F(ReadTest, A4_GetNeedsKeysRead) {
  const auto caller = PlantScopes({"keys:read"});
  auto got = Get(caller, root_.record->id);
  ASSERT_EQ(Say(got), "ok");
  EXPECT_EQ(got->id, root_.record->id);
  EXPECT_EQ(Say(Get(PlantScopes({"keys:write"}), root_.record->id)),
            "denied/insufficient_scope/keys:read");
}

TEST_F(ReadTest, A8_WhatIsNotSeenIsNotThere) {
  const auto other = Plant({.account = OtherAccount()});
  const auto missing = Get(root_, key::KeyId::New(ids_));
  const auto hidden = Get(root_, other.record->id);
  EXPECT_EQ(Say(missing), "not_found");
  EXPECT_EQ(Say(hidden), "not_found");
  EXPECT_EQ(missing.error().public_message, hidden.error().public_message);
  const auto test = Plant({.mode = key::Mode::kTest, .scopes = Scopes({"*"})});
  EXPECT_EQ(Say(Get(test, root_.record->id)), "not_found");
  EXPECT_EQ(Say(Get(test, test.record->id)), "ok");
}

TEST_F(ReadTest, A11_SelfNeedsNoScope) {
  const auto caller = PlantScopes({});
  auto self = Run<Result<key::Record>>([&](auto done) { keys_.GetSelf(caller, std::move(done)); });
  ASSERT_EQ(Say(self), "ok");
  EXPECT_EQ(self->id, caller.record->id);
}

TEST_F(ReadTest, L1_GetIncludesTheMarkThatIsStillInMemory) {
  const auto target = PlantScopes({});
  EXPECT_FALSE(Get(root_, target.record->id)->last_used_at);
  Use(target);
  EXPECT_EQ(Get(root_, target.record->id)->last_used_at, clock_.Now());
  EXPECT_FALSE(Stored(target.record->id).last_used_at) << "not written yet";
  EXPECT_EQ(List(root_)->keys.front().last_used_at, clock_.Now());
}

TEST_F(ReadTest, L2_AMarkInMemoryIsNeverShownLaterThanNow) {
  const auto target = PlantScopes({});
  Use(target);
  clock_.StepWall(Millis(-1000));
  EXPECT_EQ(Get(root_, target.record->id)->last_used_at, clock_.Now());
}

TEST_F(ReadTest, A3_ListIsNewestFirstInPages) {
  std::vector<key::KeyId> expected{root_.record->id};
  for (int i = 0; i < 4; ++i) expected.insert(expected.begin(), PlantScopes({}).record->id);
  auto first = List(root_, {.limit = 2});
  ASSERT_EQ(Say(first), "ok");
  ASSERT_TRUE(first->next_cursor);
  PlantScopes({});
  auto second = List(root_, {.cursor = *first->next_cursor, .limit = 2});
  ASSERT_TRUE(second->next_cursor);
  auto third = List(root_, {.cursor = *second->next_cursor, .limit = 2});
  EXPECT_FALSE(third->next_cursor);
  auto all = Ids(*first);
  for (const auto& id : Ids(*second)) all.push_back(id);
  for (const auto& id : Ids(*third)) all.push_back(id);
  EXPECT_EQ(all, expected) << "right although a key was created meanwhile";
}

TEST_F(ReadTest, A3_LimitsAtNAndOneMore) {
  EXPECT_EQ(Say(List(root_, {.limit = 1})), "ok");
  EXPECT_EQ(Say(List(root_, {.limit = 1000})), "ok");
  EXPECT_EQ(Say(List(root_, {.limit = 1001})), "invalid/limit");
  EXPECT_EQ(Say(List(root_, {.limit = 0})), "invalid/limit");
  EXPECT_EQ(Say(List(root_, {.cursor = "rubbish"})), "invalid/cursor");
  EXPECT_EQ(Say(List(PlantScopes({}))), "denied/insufficient_scope/keys:read");
}

TEST_F(ReadTest, A12_ListShowsTheOwnAccount) {
  const auto account = OtherAccount();
  const auto caller = Plant({.account = account, .scopes = Scopes({"*"})});
  auto listed = List(caller);
  for (const auto& record : listed->keys) EXPECT_EQ(record.account, account);
  EXPECT_EQ(listed->keys.size(), 2u);
}

TEST_F(ReadTest, A2_ATestKeySeesOnlyTestKeys) {
  const auto test = Plant({.mode = key::Mode::kTest, .scopes = Scopes({"*"})});
  EXPECT_THAT(Ids(*List(test)), ElementsAre(test.record->id));
  EXPECT_THAT(List(test, {.filter = {.mode = key::Mode::kLive}})->keys, IsEmpty());
  EXPECT_EQ(Ids(*List(root_)).size(), 2u);
}

TEST_F(ReadTest, A3_StatusIsAsOfNow) {
  const auto soon = Plant({.expires_at = clock_.Now() + Millis(10)});
  const ListRequest expired{.filter = {.status = key::KeyStatus::kExpired}};
  EXPECT_THAT(List(root_, expired)->keys, IsEmpty());
  clock_.Advance(Millis(10));
  EXPECT_THAT(Ids(*List(root_, expired)), ElementsAre(soon.record->id));
}

TEST_F(ReadTest, A3_UnusedForKnowsTheMarksInMemory) {
  const auto used = PlantScopes({});
  const auto unused = PlantScopes({});
  clock_.Advance(Millis(60'000));
  Use(used);
  const ListRequest request{.unused_for = Millis(30'000)};
  const auto ids = Ids(*List(root_, request));
  EXPECT_EQ(std::ranges::count(ids, used.record->id), 0);
  EXPECT_EQ(std::ranges::count(ids, unused.record->id), 1);
  clock_.Advance(Millis(30'001));
  const auto later = Ids(*List(root_, request));
  EXPECT_EQ(std::ranges::count(later, used.record->id), 1);
}

TEST_F(ReadTest, L1_ListTellsHowFarUsesAreComplete) {
  EXPECT_EQ(List(root_)->usage_complete_through, usage_.complete_through());
}

TEST_F(ReadTest, AStoreThatFailsIsSaid) {
  store_.Inject(Call::kGet, Fault::kFail);
  EXPECT_EQ(Say(Get(root_, root_.record->id)), "unavailable");
  store_.Inject(Call::kListKeys, Fault::kFail);
  EXPECT_EQ(Say(List(root_)), "unavailable");
}

}  // namespace
}  // namespace p402::service
