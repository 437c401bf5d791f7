#include "service/service_test.h"

namespace p402::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class RevokeTest : public ServiceTest {
 protected:
  Caller ChildOf(const Caller& parent) {
    return Plant({.scopes = Scopes({"keys:write"}), .created_by = parent.actor()});
  }
  bool IsRevoked(const Caller& caller) { return Stored(caller.record->id).revoked_at.has_value(); }
};

TEST_F(RevokeTest, R1_IsEnforcedWhenItIsAnswered) {
  auto created = Create(root_, {.name = "n"});
  auto revoked = Revoke(root_, created->record.id, {.reason = "leaked"});
  ASSERT_EQ(Say(revoked), "ok");
  EXPECT_TRUE(revoked->enforcement.is_enforced);
  EXPECT_EQ(Ask(created->raw_key.Reveal()), "revoked");
  EXPECT_EQ(revoked->record.revoked_at, clock_.Now());
  EXPECT_EQ(revoked->record.revoke_reason, "leaked");
  EXPECT_EQ(revoked->record, Stored(created->record.id));
}

TEST_F(RevokeTest, A5_ARepetitionEnforcesAgainAndKeepsTheFirstTime) {
  const auto target = PlantScopes({"a"});
  const auto id = target.record->id;
  const auto first = Revoke(root_, id, {.reason = "one"});
  const int64_t end = LogEnd();
  const size_t records = Trail().size();
  clock_.Advance(Millis(5000));
  const auto second = Revoke(root_, id, {.reason = "two"});
  ASSERT_EQ(Say(second), "ok");
  EXPECT_EQ(LogEnd(), end + 1) << "a log entry, so that there is a barrier";
  EXPECT_EQ(Trail().size(), records + 1);
  EXPECT_EQ(second->enforcement.seq, end + 1);
  EXPECT_EQ(second->record.revoked_at, first->record.revoked_at);
  EXPECT_EQ(second->record.revoke_reason, "one");
  EXPECT_EQ(Trail().front().details,
            R"({"old_status":"revoked","new_status":"revoked","reason":"two","repeated":true})");
}

TEST_F(RevokeTest, A5_AKeyRevokesItselfWithoutAnyScope) {
  const auto self = PlantScopes({});
  EXPECT_EQ(Say(Revoke(self, PlantScopes({}).record->id)), "denied/insufficient_scope/keys:write");
  EXPECT_EQ(Say(Revoke(self, self.record->id)), "ok");
  EXPECT_TRUE(IsRevoked(self));
}

TEST_F(RevokeTest, R2_ARevokedKeyRepeatsTheRevocationOfItselfAndNothingElse) {
  const auto self = PlantScopes({"*"});
  const auto other = PlantScopes({"a"});
  ASSERT_EQ(Say(Revoke(self, self.record->id)), "ok");
  const auto again = Revoke(self, self.record->id);
  ASSERT_EQ(Say(again), "ok");
  EXPECT_TRUE(again->enforcement.is_enforced);
  EXPECT_EQ(Say(Revoke(self, other.record->id)), "unauthenticated/revoked");
  EXPECT_EQ(Say(Create(self, {.name = "n"})), "unauthenticated/revoked");
  EXPECT_EQ(Say(Update(self, self.record->id, {.name = "n"})), "unauthenticated/revoked");
  EXPECT_EQ(Say(Rotate(self, self.record->id)), "unauthenticated/revoked");
  auto elsewhere = self;
  elsewhere.ip = std::nullopt;
  EXPECT_EQ(Say(Revoke(elsewhere, self.record->id)), "ok") << "it is not bound to an address";
}

TEST_F(RevokeTest, R2_TheRepetitionIsStillBoundToTheAddress) {
  auto self = Plant({.allowed_cidrs = Cidrs({"10.0.0.0/8"})});
  ASSERT_EQ(Say(Revoke(self, self.record->id)), "ok");
  self.ip = Ip("192.0.2.1");
  EXPECT_EQ(Say(Revoke(self, self.record->id)), "unauthenticated/ip_not_allowed");
}

TEST_F(RevokeTest, R2_ARevokedKeyThatExpiredSinceGetsTheSameAnswer) {
  const auto self = Plant({.expires_at = clock_.Now() + Millis(1000)});
  ASSERT_EQ(Say(Revoke(self, self.record->id)), "ok");
  clock_.Advance(Millis(2000));
  EXPECT_EQ(Say(Revoke(self, self.record->id)), "ok");
}

TEST_F(RevokeTest, R2_AnExpiredOrDisabledKeyCannotRevokeItself) {
  const auto expired = Plant({.expires_at = clock_.Now()});
  EXPECT_EQ(Say(Revoke(expired, expired.record->id)), "unauthenticated/expired");
  const auto disabled = Plant({.is_disabled = true});
  EXPECT_EQ(Say(Revoke(disabled, disabled.record->id)), "unauthenticated/disabled");
}

TEST_F(RevokeTest, A5_CascadeTakesAllDescendants) {
  const auto root = PlantScopes({"*"});
  const auto child = ChildOf(root);
  const auto revoked_child = ChildOf(root);
  const auto grandchild = ChildOf(child);
  const auto heir = ChildOf(revoked_child);
  const auto stranger = PlantScopes({"a"});
  ASSERT_EQ(Say(Revoke(root_, revoked_child.record->id)), "ok");
  clock_.Advance(Millis(10));
  const auto revoked = Revoke(root_, root.record->id, {.reason = "r", .cascade = true});
  ASSERT_EQ(Say(revoked), "ok");
  EXPECT_THAT(revoked->cascaded,
              UnorderedElementsAre(child.record->id, grandchild.record->id, heir.record->id))
      << "through a key that was revoked before";
  EXPECT_TRUE(IsRevoked(grandchild));
  EXPECT_TRUE(IsRevoked(heir));
  EXPECT_FALSE(IsRevoked(stranger));
  EXPECT_EQ(Stored(heir.record->id).revoke_reason, "r");
  for (const auto& one : {child, grandchild, heir}) {
    const auto answer = index_.Recheck(one.record->digest, {}, clock_.Now());
    EXPECT_EQ(answer.decision, key::Decision::kRevoked) << "the barrier covers all of them";
  }
}

// Whoever rotates a key makes the new one: created_by alone would lose the trail here.
TEST_F(RevokeTest, A5_CascadeFollowsRotationsBySomebodyElse) {
  const auto root = PlantScopes({"*"});
  const auto child = ChildOf(root);
  const auto rotated = Rotate(root_, child.record->id, Millis(3'600'000));
  ASSERT_EQ(Say(rotated), "ok");
  const auto again = Rotate(root_, rotated->record.id, Millis(3'600'000));
  ASSERT_EQ(Say(again), "ok");
  const auto heir =
      Plant({.created_by = {.kind = key::ActorKind::kKey, .id = again->record.id.ToString()}});
  const auto own = Rotate(root_, root.record->id, Millis(3'600'000));
  ASSERT_EQ(Say(own), "ok");
  const auto revoked = Revoke(root_, root.record->id, {.cascade = true});
  ASSERT_EQ(Say(revoked), "ok");
  EXPECT_THAT(revoked->cascaded, UnorderedElementsAre(child.record->id, rotated->record.id,
                                                      again->record.id, heir.record->id));
  EXPECT_EQ(Ask(again->raw_key.Reveal()), "revoked");
  EXPECT_EQ(Ask(own->raw_key.Reveal()), "valid") << "the replacement that an administrator made";
  EXPECT_FALSE(IsRevoked(root_)) << "who rotated is no heir";
}

TEST_F(RevokeTest, A5_ASuccessorThatTheKeyMadeItselfIsAnHeir) {
  const auto root = PlantScopes({"*"});
  const auto own = Rotate(root, root.record->id, Millis(3'600'000));
  ASSERT_EQ(Say(own), "ok");
  const auto revoked = Revoke(root_, root.record->id, {.cascade = true});
  EXPECT_THAT(revoked->cascaded, ElementsAre(own->record.id));
  EXPECT_EQ(Ask(own->raw_key.Reveal()), "revoked");
}

// An heir that rotates the key it came from does not make a replacement of itself.
TEST_F(RevokeTest, A5_ASuccessorThatAnHeirMadeIsAnHeir) {
  const auto root = PlantScopes({"keys:write"});
  const auto child = ChildOf(root);
  const auto made = Rotate(child, root.record->id, Millis(3'600'000));
  ASSERT_EQ(Say(made), "ok");
  const auto revoked = Revoke(root_, root.record->id, {.cascade = true});
  ASSERT_EQ(Say(revoked), "ok");
  EXPECT_THAT(revoked->cascaded, UnorderedElementsAre(child.record->id, made->record.id));
  EXPECT_EQ(Ask(made->raw_key.Reveal()), "revoked");
}

TEST_F(RevokeTest, A5_AKeyOnBothPathsCountsOnce) {
  const auto root = PlantScopes({"*"});
  const auto child = ChildOf(root);
  const auto rotated = Rotate(root, child.record->id);
  ASSERT_EQ(Say(rotated), "ok");
  const auto revoked = Revoke(root_, root.record->id, {.cascade = true});
  EXPECT_THAT(revoked->cascaded, UnorderedElementsAre(child.record->id, rotated->record.id));
}

TEST_F(RevokeTest, A5_ACycleOfRotationsEnds) {
  const auto a = PlantScopes({"*"});
  auto b = PlantScopes({"a"});
  key::Record first = *a.record;
  key::Record second = *b.record;
  first.rotated_from = second.id;
  second.rotated_from = first.id;
  second.created_by = a.actor();
  Write({first, second});
  const auto revoked = Revoke(root_, first.id, {.cascade = true});
  ASSERT_EQ(Say(revoked), "ok");
  EXPECT_THAT(revoked->cascaded, ElementsAre(second.id));
}

TEST_F(RevokeTest, A5_WithoutCascadeWhatItCreatedLives) {
  const auto root = PlantScopes({"*"});
  const auto child = ChildOf(root);
  const auto revoked = Revoke(root_, root.record->id);
  EXPECT_THAT(revoked->cascaded, IsEmpty());
  EXPECT_FALSE(IsRevoked(child));
}

TEST_F(RevokeTest, A5_ARepeatedCascadeAnswersTheSame) {
  const auto self = PlantScopes({"*"});
  const auto child = ChildOf(self);
  const auto first = Revoke(self, self.record->id, {.cascade = true});
  clock_.Advance(Millis(10));
  const auto again = Revoke(self, self.record->id, {.cascade = true});
  ASSERT_EQ(Say(again), "ok");
  EXPECT_THAT(again->cascaded, ElementsAre(child.record->id));
  EXPECT_EQ(first->cascaded, again->cascaded);
}

TEST_F(RevokeTest, R2_ARevokedKeyBeginsNoCascade) {
  const auto self = PlantScopes({"*"});
  const auto child = ChildOf(self);
  ASSERT_EQ(Say(Revoke(self, self.record->id)), "ok");
  EXPECT_EQ(Say(Revoke(self, self.record->id, {.cascade = true})), "unauthenticated/revoked");
  EXPECT_FALSE(IsRevoked(child));
  EXPECT_EQ(Say(Revoke(root_, self.record->id, {.cascade = true})), "ok");
  EXPECT_TRUE(IsRevoked(child));
}

TEST_F(RevokeTest, A5_ADescendantThatWasWidenedSinceIsRevokedToo) {
  const auto caller = PlantScopes({"keys:write", "a"});
  const auto target = PlantScopes({"a"});
  const auto child = ChildOf(target);
  ASSERT_EQ(Say(Update(root_, child.record->id, {.scopes = std::vector<std::string>{"*"}})), "ok");
  EXPECT_EQ(Say(Revoke(caller, child.record->id)), "denied/escalation/scopes");
  EXPECT_EQ(Say(Revoke(caller, target.record->id, {.cascade = true})), "ok");
  EXPECT_TRUE(IsRevoked(child));
}

TEST_F(RevokeTest, A5_ACycleOfCreatorsEnds) {
  const auto a = PlantScopes({"*"});
  auto b = ChildOf(a);
  key::Record record = *a.record;
  record.created_by = b.actor();
  Write(record);
  const auto revoked = Revoke(root_, a.record->id, {.cascade = true});
  ASSERT_EQ(Say(revoked), "ok");
  EXPECT_THAT(revoked->cascaded, ElementsAre(b.record->id));
}

TEST_F(RevokeTest, A5_TheCascadeIsBoundedAndAllOrNothing) {
  const auto root = PlantScopes({"*"});
  std::vector<key::Record> children(limits::kCascadeKeys);
  for (auto& child : children) {
    child.id = key::KeyId::New(ids_);
    child.account = account_;
    random_.Fill(child.digest);
    child.created_by = root.actor();
  }
  Write(children);
  ChildOf(root);
  const int64_t end = LogEnd();
  EXPECT_EQ(Say(Revoke(root_, root.record->id, {.cascade = true})), "invalid/cascade");
  EXPECT_EQ(LogEnd(), end);
  EXPECT_FALSE(IsRevoked(root));
  const auto big = PlantScopes({"*"});
  for (auto& child : children) {
    child.id = key::KeyId::New(ids_);
    random_.Fill(child.digest);
    child.created_by = big.actor();
  }
  Write(children);
  const auto revoked = Revoke(root_, big.record->id, {.cascade = true});
  ASSERT_EQ(Say(revoked), "ok");
  EXPECT_EQ(revoked->cascaded.size(), limits::kCascadeKeys);
}

TEST_F(RevokeTest, A12_ACascadeStaysInItsAccount) {
  const auto root = PlantScopes({"*"});
  const auto foreign = Plant({.account = OtherAccount(), .created_by = root.actor()});
  auto rotated = *Plant({.account = foreign.record->account}).record;
  rotated.rotated_from = root.record->id;
  Write(rotated);
  ASSERT_EQ(Say(Revoke(root_, root.record->id, {.cascade = true})), "ok");
  EXPECT_FALSE(Stored(foreign.record->id, foreign.record->account).revoked_at);
  EXPECT_FALSE(Stored(rotated.id, rotated.account).revoked_at);
}

TEST_F(RevokeTest, A8_WhatIsNotSeenIsNotThere) {
  EXPECT_EQ(Say(Revoke(root_, key::KeyId::New(ids_))), "not_found");
  const auto other = Plant({.account = OtherAccount()});
  EXPECT_EQ(Say(Revoke(root_, other.record->id)), "not_found");
  const auto test = Plant({.mode = key::Mode::kTest, .scopes = Scopes({"*"})});
  EXPECT_EQ(Say(Revoke(test, PlantScopes({}).record->id)), "not_found");
}

TEST_F(RevokeTest, A5_TheReasonsLimitAtNAndOneMore) {
  const auto id = PlantScopes({}).record->id;
  EXPECT_EQ(Say(Revoke(root_, id, {.reason = std::string(256, 'r')})), "invalid/reason");
  EXPECT_EQ(Say(Revoke(root_, id, {.reason = "a\nb"})), "invalid/reason");
  EXPECT_EQ(Say(Revoke(root_, id, {.reason = std::string(255, 'r')})), "ok");
}

TEST_F(RevokeTest, S1_EveryKeyOfACascadeHasItsRecord) {
  const auto root = PlantScopes({"*"});
  const auto child = ChildOf(root);
  ASSERT_EQ(Say(Revoke(root_, root.record->id, {.cascade = true})), "ok");
  const auto trail = Trail();
  EXPECT_EQ(trail[0].subject, root.record->id.ToString());
  EXPECT_EQ(trail[0].details, R"({"old_status":"active","new_status":"revoked","cascaded":1})");
  EXPECT_EQ(trail[1].action, "key.revoke");
  EXPECT_EQ(trail[1].subject, child.record->id.ToString());
  EXPECT_EQ(trail[1].details, R"({"old_status":"active","new_status":"revoked","cascade_of":")" +
                                  root.record->id.ToString() + "\"}");
}

}  // namespace
}  // namespace p402::service
