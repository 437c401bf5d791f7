#include "key/digest.h"
#include "service/service_test.h"

namespace p402::service {
namespace {

constexpr Millis kDay = std::chrono::hours(24);

class RotateTest : public ServiceTest {
 protected:
  CreatedKey Old(CreateRequest request = {.name = "n"}) {
    return *Create(root_, std::move(request));
  }
};

TEST_F(RotateTest, A11_TheNewKeyHasTheSameSettings) {
  const auto old = Old({.name = "n",
                        .mode = key::Mode::kTest,
                        .scopes = std::vector<std::string>{"a", "b"},
                        .expires_at = clock_.Now() + 2 * kDay,
                        .metadata = R"({"a":1})",
                        .owner = "o",
                        .allowed_cidrs = {"10.0.0.0/8"}});
  const auto caller = PlantScopes({"*"});
  clock_.Advance(Millis(10));
  auto rotated = Rotate(caller, old.record.id, kDay);
  ASSERT_EQ(Say(rotated), "ok");
  const key::Record fresh = Stored(rotated->record.id);
  EXPECT_EQ(rotated->record, fresh);
  EXPECT_NE(fresh.id, old.record.id);
  EXPECT_EQ(fresh.rotated_from, old.record.id);
  EXPECT_EQ(fresh.created_by, caller.actor());
  EXPECT_EQ(fresh.created_at, clock_.Now());
  EXPECT_EQ(fresh.name, "n");
  EXPECT_EQ(fresh.mode, key::Mode::kTest);
  EXPECT_EQ(fresh.scopes, old.record.scopes);
  EXPECT_EQ(fresh.expires_at, old.record.expires_at);
  EXPECT_EQ(fresh.metadata, old.record.metadata);
  EXPECT_EQ(fresh.owner, "o");
  EXPECT_EQ(fresh.allowed_cidrs, old.record.allowed_cidrs);
  EXPECT_EQ(fresh.digest, key::DigestOf(rotated->raw_key.Reveal()));
  EXPECT_TRUE(rotated->raw_key.Reveal().starts_with("p402_test_"));
  EXPECT_FALSE(fresh.last_used_at);
}

TEST_F(RotateTest, A11_BothWorkDuringTheGraceAndOneAfterIt) {
  const auto old = Old();
  auto rotated = Rotate(root_, old.record.id, kDay);
  ASSERT_EQ(Say(rotated), "ok");
  EXPECT_TRUE(rotated->enforcement.is_enforced);
  EXPECT_EQ(Ask(old.raw_key.Reveal()), "valid");
  EXPECT_EQ(Ask(rotated->raw_key.Reveal()), "valid");
  EXPECT_EQ(Stored(old.record.id).expires_at, clock_.Now() + kDay);
  clock_.Advance(kDay);
  EXPECT_EQ(Ask(old.raw_key.Reveal()), "expired");
  EXPECT_EQ(Ask(rotated->raw_key.Reveal()), "valid");
}

TEST_F(RotateTest, R1_WithoutGraceTheOldKeyEndsAtOnce) {
  const auto old = Old();
  auto rotated = Rotate(root_, old.record.id, Millis(0));
  EXPECT_EQ(Ask(old.raw_key.Reveal()), "expired");
  EXPECT_EQ(Ask(rotated->raw_key.Reveal()), "valid");
}

TEST_F(RotateTest, A11_AnEarlierExpiryStays) {
  const auto old = Old({.name = "n", .expires_at = clock_.Now() + Millis(500)});
  ASSERT_EQ(Say(Rotate(root_, old.record.id, kDay)), "ok");
  EXPECT_EQ(Stored(old.record.id).expires_at, old.record.expires_at);
}

TEST_F(RotateTest, A11_ARevokedOrExpiredKeyIsNotRotated) {
  const auto revoked = Old();
  ASSERT_EQ(Say(Revoke(root_, revoked.record.id)), "ok");
  EXPECT_EQ(Say(Rotate(root_, revoked.record.id)), "conflict/key_revoked");
  const auto expired = Old({.name = "n", .expires_at = clock_.Now() + Millis(1)});
  clock_.Advance(Millis(1));
  EXPECT_EQ(Say(Rotate(root_, expired.record.id)), "conflict/key_expired");
}

TEST_F(RotateTest, A2_ADisabledKeyStaysDisabled) {
  const auto disabled = Plant({.is_disabled = true});
  auto rotated = Rotate(root_, disabled.record->id);
  ASSERT_EQ(Say(rotated), "ok");
  EXPECT_EQ(Ask(rotated->raw_key.Reveal()), "disabled");
}

TEST_F(RotateTest, A11_AKeyRotatesItselfWithKeysWrite) {
  const auto self = Plant({.scopes = Scopes({"keys:write"}),
                           .allowed_cidrs = Cidrs({"10.0.0.0/8"}),
                           .expires_at = clock_.Now() + kDay});
  auto rotated = Rotate(self, self.record->id);
  ASSERT_EQ(Say(rotated), "ok");
  EXPECT_EQ(rotated->record.expires_at, self.record->expires_at) << "it does not outlive the old";
  EXPECT_EQ(Say(Rotate(self, self.record->id)), "unauthenticated/expired");
  const auto other = PlantScopes({"a"});
  EXPECT_EQ(Say(Rotate(other, other.record->id)), "denied/insufficient_scope/keys:write");
}

TEST_F(RotateTest, A11_TheGracesLimitAtNAndOneMore) {
  EXPECT_EQ(Say(Rotate(root_, Old().record.id, 365 * kDay)), "ok");
  EXPECT_EQ(Say(Rotate(root_, Old().record.id, 365 * kDay + Millis(1))), "invalid/grace");
  EXPECT_EQ(Say(Rotate(root_, Old().record.id, Millis(-1))), "invalid/grace");
}

TEST_F(RotateTest, A12_AccountsWriteIsNotCarriedOutsideTheFirstAccount) {
  const auto account = OtherAccount();
  const auto caller = Plant({.account = account, .scopes = Scopes({"*"})});
  const auto smuggled = Plant({.account = account, .scopes = Scopes({"accounts:write"})});
  EXPECT_EQ(Say(Rotate(caller, smuggled.record->id)), "denied/escalation/scopes");
}

TEST_F(RotateTest, S1_TheTrailTiesOldAndNew) {
  const auto old = Old();
  auto rotated = Rotate(root_, old.record.id, kDay);
  const auto trail = Trail();
  EXPECT_EQ(trail[0].action, "key.rotate");
  EXPECT_EQ(trail[0].subject, old.record.id.ToString());
  EXPECT_EQ(trail[0].details, R"({"rotated_to":")" + rotated->record.id.ToString() +
                                  R"(","grace_ms":86400000,"expires_at":"2026-04-16T12:00:00Z"})");
  EXPECT_EQ(trail[1].action, "key.create");
  EXPECT_EQ(trail[1].subject, rotated->record.id.ToString());
  EXPECT_THAT(trail[1].details, ::testing::HasSubstr(R"("rotated_from":")"));
}

}  // namespace
}  // namespace p402::service
