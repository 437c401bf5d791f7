#include "service/authenticator.h"

#include "service/service_test.h"

namespace p402::service {
namespace {

class AuthenticatorTest : public ServiceTest {
 protected:
  std::string Authenticate(std::string_view raw_key,
                           std::optional<key::IpAddress> ip = Ip("10.1.2.3")) {
    return Say(authenticator_.Authenticate(raw_key, ip, "r"));
  }
  std::string ForSelfRevoke(std::string_view raw_key,
                            std::optional<key::IpAddress> ip = Ip("10.1.2.3")) {
    return Say(authenticator_.AuthenticateForSelfRevoke(raw_key, ip, "r"));
  }
};

TEST_F(AuthenticatorTest, B_TheDecisionIsTheReason) {
  auto created = Create(
      root_,
      {.name = "n", .expires_at = clock_.Now() + Millis(1000), .allowed_cidrs = {"10.0.0.0/8"}});
  const std::string raw_key(created->raw_key.Reveal());
  const auto id = created->record.id;
  EXPECT_EQ(Authenticate(raw_key), "ok");
  EXPECT_EQ(Authenticate("rubbish"), "unauthenticated/malformed");
  EXPECT_EQ(Authenticate(raw_key, Ip("192.0.2.1")), "unauthenticated/ip_not_allowed");
  EXPECT_EQ(Authenticate(raw_key, std::nullopt), "unauthenticated/ip_not_allowed") << "S4";
  key::Record unknown;
  Secret stranger = key::GenerateRawKey(random_, "p402", key::Mode::kLive);
  EXPECT_EQ(Authenticate(stranger.Reveal()), "unauthenticated/not_found");
  ASSERT_EQ(Say(Update(root_, id, {.disabled = true})), "ok");
  EXPECT_EQ(Authenticate(raw_key), "unauthenticated/disabled");
  clock_.Advance(Millis(1000));
  EXPECT_EQ(Authenticate(raw_key), "unauthenticated/expired");
  ASSERT_EQ(Say(Revoke(root_, id)), "ok");
  EXPECT_EQ(Authenticate(raw_key), "unauthenticated/revoked");
}

TEST_F(AuthenticatorTest, L1_AuthenticationIsAUse) {
  auto created = Create(root_, {.name = "n"});
  EXPECT_FALSE(index_.LastUsed(created->record.id));
  EXPECT_EQ(Authenticate(created->raw_key.Reveal()), "ok");
  EXPECT_EQ(index_.LastUsed(created->record.id), clock_.Now());
}

TEST_F(AuthenticatorTest, A5_OnlyARevokedKeyIsLetThroughForItsOwnRevocation) {
  auto created = Create(root_, {.name = "n", .allowed_cidrs = {"10.0.0.0/8"}});
  const std::string raw_key(created->raw_key.Reveal());
  EXPECT_EQ(ForSelfRevoke(raw_key), "ok");
  ASSERT_EQ(Say(Update(root_, created->record.id, {.disabled = true})), "ok");
  EXPECT_EQ(ForSelfRevoke(raw_key), "unauthenticated/disabled");
  ASSERT_EQ(Say(Revoke(root_, created->record.id)), "ok");
  EXPECT_EQ(ForSelfRevoke(raw_key), "ok");
  EXPECT_EQ(ForSelfRevoke(raw_key, Ip("192.0.2.1")), "unauthenticated/ip_not_allowed");
  EXPECT_EQ(ForSelfRevoke("rubbish"), "unauthenticated/malformed");
  auto caller = authenticator_.AuthenticateForSelfRevoke(raw_key, Ip("10.1.2.3"), "r");
  ASSERT_TRUE(caller);
  EXPECT_EQ(Say(Revoke(*caller, created->record.id)), "ok");
}

TEST_F(AuthenticatorTest, R2_RecheckSeesWhatHasChangedSince) {
  auto created = Create(root_, {.name = "n", .scopes = std::vector<std::string>{"a", "b"}});
  const auto caller = As(created->raw_key.Reveal());
  EXPECT_EQ(Say(authenticator_.Recheck(caller, {})), "ok");
  EXPECT_EQ(Say(authenticator_.Recheck(caller, "a")), "ok");
  EXPECT_EQ(Say(authenticator_.Recheck(caller, "c")), "denied/insufficient_scope/c");
  ASSERT_EQ(Say(Update(root_, caller.record->id, {.scopes = std::vector<std::string>{"b"}})), "ok");
  EXPECT_EQ(Say(authenticator_.Recheck(caller, "a")), "denied/insufficient_scope/a");
  ASSERT_EQ(Say(Revoke(root_, caller.record->id)), "ok");
  EXPECT_EQ(Say(authenticator_.Recheck(caller, {})), "unauthenticated/revoked");
}

TEST_F(AuthenticatorTest, ScopesAreMatchedExactly) {
  const auto caller = PlantScopes({"keys:read"});
  EXPECT_EQ(Say(RequireScope(caller, "keys:read")), "ok");
  EXPECT_EQ(Say(RequireScope(caller, "keys")), "denied/insufficient_scope/keys");
  EXPECT_EQ(Say(RequireScope(root_, "anything")), "ok");
}

TEST_F(AuthenticatorTest, A12_TheFirstAccountsRuleIsOneFunction) {
  const key::Record& star = *root_.record;
  EXPECT_EQ(Say(RequireFirstAccountScope(star, "store:backup", true)), "ok");
  EXPECT_EQ(Say(RequireFirstAccountScope(star, "store:backup", false)),
            "denied/insufficient_scope/store:backup");
  const auto narrow = PlantScopes({"keys:write"});
  EXPECT_EQ(Say(RequireFirstAccountScope(*narrow.record, "store:backup", true)),
            "denied/insufficient_scope/store:backup");
  const auto test = Plant({.mode = key::Mode::kTest, .scopes = Scopes({"*"})});
  EXPECT_EQ(Say(RequireFirstAccountScope(*test.record, "store:backup", true)),
            "denied/insufficient_scope/store:backup");
}

}  // namespace
}  // namespace p402::service
