#include "p402/keys.h"

#include <gtest/gtest.h>

#include <vector>

#include "store/testing/temp_folder.h"

namespace {

TEST(Keys, V5_TheWholeLifeOfAKeyInCpp) {
  const p402::store::testing::TempFolder temp;
  p402::v0::CreatedKey root;
  ASSERT_TRUE(p402::v0::Init(temp.path().native(), root).ok());
  std::vector<std::string> revoked;
  int64_t total = 0;
  p402::v0::Options options{.folder = temp.path().native()};
  options.on_event = [&](const p402::v0::Event& event) { revoked.emplace_back(event.key_id); };
  options.on_progress = [&](int64_t, int64_t all) { total = all; };
  p402::v0::Outcome outcome;
  const auto keys = p402::v0::Keys::Open(options, outcome);
  ASSERT_TRUE(keys) << outcome.message();
  EXPECT_EQ(total, 1);

  const std::string_view scopes[] = {"models:read", "models:run"};
  const std::string_view cidrs[] = {"10.0.0.0/8"};
  p402::v0::CreatedKey created;
  outcome = keys->Create(root.raw_key(),
                         {.name = "agent", .owner = "o", .scopes = scopes, .allowed_cidrs = cidrs},
                         created);
  ASSERT_TRUE(outcome.ok()) << outcome.message();

  p402::v0::Answer answer;
  const p402::v0::Question question{
      .presented = created.raw_key(), .scopes = scopes, .ip = "10.1.2.3"};
  ASSERT_TRUE(keys->Verify(question, answer)) << answer.decision_name();
  EXPECT_TRUE(answer);
  EXPECT_EQ(answer.key_id(), created.key_id());
  EXPECT_EQ(answer.account_id(), root.account_id());
  EXPECT_EQ(answer.name(), "agent");
  EXPECT_EQ(answer.owner(), "o");
  EXPECT_EQ(answer.scopes(), "models:read models:run");
  EXPECT_EQ(answer.metadata(), "");
  EXPECT_EQ(answer.mode(), P402_LIVE);
  EXPECT_EQ(answer.expires_at_ms(), 0);
  EXPECT_FALSE(keys->Verify({.presented = created.raw_key()}, answer));
  EXPECT_EQ(answer.decision_name(), "ip_not_allowed");
  EXPECT_EQ(answer.key_id(), "");

  ASSERT_TRUE(keys->SetDisabled(root.raw_key(), created.key_id(), true).ok());
  EXPECT_FALSE(keys->Verify(question, answer));
  EXPECT_EQ(answer.decision(), P402_DISABLED);
  ASSERT_TRUE(keys->Revoke(root.raw_key(), {.key_id = created.key_id()}).ok());
  EXPECT_EQ(revoked, std::vector<std::string>(2, std::string(created.key_id())));
  EXPECT_EQ(keys->Revoke(root.raw_key(), {.key_id = "key_x"}).code(), P402_INVALID_ARGUMENT);
  EXPECT_TRUE(keys->Close().ok());
  EXPECT_FALSE(keys->Verify(question, answer));
  EXPECT_EQ(answer.error(), P402_INVALID_ARGUMENT);
}

TEST(Keys, V5_NoScopesAreNotTheActorsScopes) {
  const p402::store::testing::TempFolder temp;
  p402::v0::CreatedKey root, all, none;
  ASSERT_TRUE(p402::v0::Init(temp.path().native(), root).ok());
  p402::v0::Outcome outcome;
  const auto keys = p402::v0::Keys::Open({.folder = temp.path().native()}, outcome);
  ASSERT_TRUE(keys) << outcome.message();
  ASSERT_TRUE(keys->Create(root.raw_key(), {.name = "all"}, all).ok());
  const std::span<const std::string_view> nothing;
  ASSERT_TRUE(keys->Create(root.raw_key(), {.name = "none", .scopes = nothing}, none).ok());
  p402::v0::Answer answer;
  ASSERT_TRUE(keys->Verify({.presented = all.raw_key()}, answer));
  EXPECT_EQ(answer.scopes(), "*");
  ASSERT_TRUE(keys->Verify({.presented = none.raw_key()}, answer));
  EXPECT_EQ(answer.scopes(), "");
  const std::vector<std::string_view> many(P402_SCOPES_MAX + 1, "models:read");
  EXPECT_FALSE(keys->Verify({.presented = all.raw_key(), .scopes = many}, answer));
  EXPECT_EQ(answer.error(), P402_INVALID_ARGUMENT);
}

TEST(Keys, S5_OpenTellsWhy) {
  const p402::store::testing::TempFolder temp;
  p402::v0::Outcome outcome;
  EXPECT_FALSE(p402::v0::Keys::Open({.folder = temp.path().native()}, outcome));
  EXPECT_EQ(outcome.code(), P402_NOT_FOUND);
}

}  // namespace
