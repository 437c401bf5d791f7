#include "service/service_test.h"

namespace p402::service {
namespace {

class UpdateTest : public ServiceTest {
 protected:
  // The kind of the last log entry.
  store::ChangeKind LastKind() {
    auto log = Run<Result<std::vector<store::Change>>>(
        [&](auto done) { memory_->log().Read(0, LogEnd(), 1, std::move(done)); });
    return log->back().kind;
  }
  Caller target_ = Plant({.scopes = Scopes({"a", "b"})});
  key::KeyId id_ = target_.record->id;
};

TEST_F(UpdateTest, A4_SetsWhatIsGivenAndLeavesTheRest) {
  UpdateRequest request{.name = "new",
                        .metadata = R"({"x":1})",
                        .owner = "owner",
                        .scopes = std::vector<std::string>{"a"},
                        .disabled = true,
                        .expires_at = std::optional<WallTime>(clock_.Now() + Millis(5)),
                        .allowed_cidrs = std::vector<std::string>{"10.0.0.0/8"}};
  auto updated = Update(root_, id_, request);
  ASSERT_EQ(Say(updated), "ok");
  const key::Record record = Stored(id_);
  EXPECT_EQ(updated->record, record);
  EXPECT_EQ(record.name, "new");
  EXPECT_EQ(record.metadata, R"({"x":1})");
  EXPECT_EQ(record.owner, "owner");
  EXPECT_EQ(record.scopes, Scopes({"a"}));
  EXPECT_TRUE(record.is_disabled);
  EXPECT_EQ(record.expires_at, clock_.Now() + Millis(5));
  EXPECT_EQ(record.allowed_cidrs, Cidrs({"10.0.0.0/8"}));
  EXPECT_EQ(record.digest, target_.record->digest);
  EXPECT_EQ(record.created_by, target_.record->created_by);

  ASSERT_EQ(Say(Update(root_, id_,
                       {.metadata = "",
                        .owner = "",
                        .expires_at = std::optional<WallTime>(),
                        .allowed_cidrs = std::vector<std::string>{}})),
            "ok");
  const key::Record cleared = Stored(id_);
  EXPECT_EQ(cleared.name, "new");
  EXPECT_EQ(cleared.metadata, "");
  EXPECT_EQ(cleared.owner, "");
  EXPECT_FALSE(cleared.expires_at);
  EXPECT_TRUE(cleared.allowed_cidrs.empty());
  EXPECT_TRUE(cleared.is_disabled);
}

TEST_F(UpdateTest, R1_ARestrictionIsEnforcedWhenItIsAnswered) {
  auto created = Create(root_, {.name = "n"});
  const std::string raw_key(created->raw_key.Reveal());
  auto disabled = Update(root_, created->record.id, {.disabled = true});
  ASSERT_EQ(Say(disabled), "ok");
  EXPECT_TRUE(disabled->enforcement.is_enforced);
  EXPECT_EQ(Ask(raw_key), "disabled");
  EXPECT_EQ(LastKind(), store::ChangeKind::kRestrict);
  ASSERT_EQ(Say(Update(root_, created->record.id, {.disabled = false})), "ok");
  EXPECT_EQ(Ask(raw_key), "valid");
  EXPECT_EQ(LastKind(), store::ChangeKind::kPermit);
  ASSERT_EQ(Say(Update(root_, created->record.id, {.name = "m"})), "ok");
  EXPECT_EQ(LastKind(), store::ChangeKind::kUpdate);
  ASSERT_EQ(
      Say(Update(root_, created->record.id, {.expires_at = std::optional<WallTime>(clock_.Now())})),
      "ok");
  EXPECT_EQ(Ask(raw_key), "expired");
}

TEST_F(UpdateTest, R1_NarrowerAndWiderAtOnceIsRestrictive) {
  ASSERT_EQ(Say(Update(root_, id_, {.scopes = std::vector<std::string>{"a", "c"}})), "ok");
  EXPECT_EQ(LastKind(), store::ChangeKind::kRestrict);
}

TEST_F(UpdateTest, A2_NoKeyWidensItself) {
  const auto self = Plant({.scopes = Scopes({"keys:write", "a"}),
                           .allowed_cidrs = Cidrs({"10.1.0.0/16"}),
                           .expires_at = clock_.Now() + Millis(1000)});
  const auto id = self.record->id;
  auto say = [&](UpdateRequest request) { return Say(Update(self, id, std::move(request))); };
  EXPECT_EQ(say({.scopes = std::vector<std::string>{"keys:write", "a", "b"}}),
            "denied/escalation/scopes");
  EXPECT_EQ(say({.scopes = std::vector<std::string>{"*"}}), "denied/escalation/scopes");
  EXPECT_EQ(say({.expires_at = std::optional<WallTime>(clock_.Now() + Millis(1001))}),
            "denied/escalation/expires_at");
  EXPECT_EQ(say({.expires_at = std::optional<WallTime>()}), "denied/escalation/expires_at");
  EXPECT_EQ(say({.allowed_cidrs = std::vector<std::string>{}}), "denied/escalation/allowed_cidrs");
  EXPECT_EQ(say({.allowed_cidrs = std::vector<std::string>{"10.0.0.0/8"}}),
            "denied/escalation/allowed_cidrs");
  EXPECT_EQ(say({.name = "me", .metadata = "{}", .owner = "o"}), "ok");
  EXPECT_EQ(say({.scopes = std::vector<std::string>{"keys:write"},
                 .expires_at = std::optional<WallTime>(clock_.Now() + Millis(900)),
                 .allowed_cidrs = std::vector<std::string>{"10.1.2.0/24"}}),
            "ok");
  EXPECT_EQ(say({.disabled = true}), "ok");
  EXPECT_EQ(say({.disabled = false}), "unauthenticated/disabled");
}

TEST_F(UpdateTest, A_RevokedIsFinal) {
  ASSERT_EQ(Say(Revoke(root_, id_)), "ok");
  EXPECT_EQ(Say(Update(root_, id_, {.name = "n"})), "conflict/key_revoked");
  EXPECT_EQ(Say(Update(root_, id_, {.disabled = false})), "conflict/key_revoked");
}

TEST_F(UpdateTest, A2_AnExpiredKeyIsExtendedOnlyWithinTheCallersOwnExpiry) {
  const auto expired = Plant({.expires_at = clock_.Now()});
  const auto caller =
      Plant({.scopes = Scopes({"keys:write"}), .expires_at = clock_.Now() + Millis(1000)});
  auto extend = [&](std::optional<WallTime> to) {
    return Say(Update(caller, expired.record->id, {.expires_at = to}));
  };
  EXPECT_EQ(extend(clock_.Now() + Millis(1001)), "denied/escalation/expires_at");
  EXPECT_EQ(extend(std::nullopt), "denied/escalation/expires_at");
  EXPECT_EQ(extend(clock_.Now() + Millis(1000)), "ok");
  EXPECT_EQ(LastKind(), store::ChangeKind::kPermit);
}

TEST_F(UpdateTest, A8_WhatIsNotThereAndWhatIsNotSeenAreAlike) {
  const auto other = Plant({.account = OtherAccount()});
  const auto missing = Update(root_, key::KeyId::New(ids_), {.name = "n"});
  const auto hidden = Update(root_, other.record->id, {.name = "n"});
  EXPECT_EQ(Say(missing), "not_found");
  EXPECT_EQ(Say(hidden), "not_found");
  EXPECT_EQ(missing.error().public_message, hidden.error().public_message);
  const auto test = Plant({.mode = key::Mode::kTest, .scopes = Scopes({"*"})});
  EXPECT_EQ(Say(Update(test, id_, {.name = "n"})), "not_found");
}

TEST_F(UpdateTest, A12_AccountsWriteStaysInTheFirstAccount) {
  const auto account = OtherAccount();
  const auto caller = Plant({.account = account, .scopes = Scopes({"*"})});
  const auto target = Plant({.account = account});
  const UpdateRequest request{.scopes = std::vector<std::string>{"accounts:write"}};
  EXPECT_EQ(Say(Update(caller, target.record->id, request)), "denied/escalation/scopes");
  EXPECT_EQ(Say(Update(root_, id_, request)), "ok");
}

TEST_F(UpdateTest, A1_LimitsHoldHereToo) {
  auto say = [&](UpdateRequest request) { return Say(Update(root_, id_, std::move(request))); };
  EXPECT_EQ(say({.name = std::string(101, 'a')}), "invalid/name");
  EXPECT_EQ(say({.name = ""}), "invalid/name");
  EXPECT_EQ(say({.metadata = std::string(4097, 'a')}), "invalid/metadata");
  EXPECT_EQ(say({.owner = std::string(256, 'a')}), "invalid/owner");
  EXPECT_EQ(say({.scopes = std::vector<std::string>{"BAD"}}), "invalid/scopes");
  EXPECT_EQ(say({.allowed_cidrs = std::vector<std::string>{"x"}}), "invalid/allowed_cidrs");
  EXPECT_EQ(Stored(id_), [&] {
    key::Record same = *target_.record;
    same.version = Stored(id_).version;
    return same;
  }());
}

TEST_F(UpdateTest, S1_TheTrailNamesTheFieldsAndTheStatus) {
  ASSERT_EQ(Say(Update(root_, id_,
                       {.name = "new", .scopes = std::vector<std::string>{"a"}, .disabled = true})),
            "ok");
  const auto trail = Trail();
  EXPECT_EQ(trail.front().action, "key.update");
  EXPECT_EQ(trail.front().subject, id_.ToString());
  EXPECT_EQ(
      trail.front().details,
      R"({"fields":["name","scopes","disabled"],"old_status":"active","new_status":"disabled",)"
      R"("old_scopes":["a","b"],"new_scopes":["a"]})");
}

}  // namespace
}  // namespace p402::service
