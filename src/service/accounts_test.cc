#include "service/accounts.h"

#include "service/service_test.h"

namespace p402::service {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AccountsTest : public ServiceTest {
 protected:
  Result<CreatedAccount> CreateAccount(const Caller& caller, std::string name = "other") {
    return Run<Result<CreatedAccount>>(
        [&](auto done) { accounts_.Create(caller, std::move(name), std::move(done)); });
  }
  Result<std::vector<store::Account>> ListAccounts(const Caller& caller) {
    return Run<Result<std::vector<store::Account>>>(
        [&](auto done) { accounts_.List(caller, std::move(done)); });
  }
  Result<CreatedAccount> Bootstrap(std::string name) {
    return Run<Result<CreatedAccount>>(
        [&](auto done) { accounts_.Bootstrap(std::move(name), std::move(done)); });
  }
};

TEST_F(AccountsTest, C1_TheFirstAccountIsMadeOnce) {
  EXPECT_EQ(root_.record->account, account_);
  EXPECT_EQ(root_.record->scopes, Scopes({"*"}));
  EXPECT_EQ(root_.record->created_by, (key::Actor{key::ActorKind::kSystem, "init"}));
  EXPECT_EQ(Say(Bootstrap("again")), "conflict");
  auto listed = ListAccounts(root_);
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_TRUE(listed->front().is_first);
  EXPECT_EQ(listed->front().name, "first");
}

TEST_F(AccountsTest, A12_AnAccountAndItsFirstKeyWorkAtOnce) {
  auto created = CreateAccount(root_);
  ASSERT_EQ(Say(created), "ok");
  EXPECT_FALSE(created->account.is_first);
  EXPECT_EQ(created->account.name, "other");
  EXPECT_EQ(created->key.record.account, created->account.id);
  EXPECT_TRUE(created->key.enforcement.is_enforced);
  const auto caller = As(created->key.raw_key.Reveal());
  EXPECT_EQ(Say(Create(caller, {.name = "n"})), "ok");
  EXPECT_EQ(ListAccounts(root_)->size(), 2u);
}

TEST_F(AccountsTest, A12_AnotherAccountsStarDoesNotCoverIt) {
  auto created = CreateAccount(root_);
  const auto caller = As(created->key.raw_key.Reveal());
  EXPECT_EQ(Say(CreateAccount(caller)), "denied/insufficient_scope/accounts:write");
  EXPECT_EQ(Say(ListAccounts(caller)), "denied/insufficient_scope/accounts:write");
  const auto planted =
      Plant({.account = caller.record->account, .scopes = Scopes({"accounts:write"})});
  EXPECT_EQ(Say(CreateAccount(planted)), "denied/insufficient_scope/accounts:write");
  EXPECT_EQ(Say(ListAccounts(planted)), "denied/insufficient_scope/accounts:write");
}

TEST_F(AccountsTest, A12_NeedsTheScopeInTheFirstAccountToo) {
  EXPECT_EQ(Say(CreateAccount(PlantScopes({"keys:write"}))),
            "denied/insufficient_scope/accounts:write");
  EXPECT_EQ(Say(ListAccounts(PlantScopes({"keys:write"}))),
            "denied/insufficient_scope/accounts:write");
  EXPECT_EQ(Say(CreateAccount(PlantScopes({"accounts:write"}))), "ok");
}

TEST_F(AccountsTest, A2_ATestKeyMakesNoAccount) {
  const auto test = Plant({.mode = key::Mode::kTest, .scopes = Scopes({"*"})});
  EXPECT_EQ(Say(CreateAccount(test)), "denied/insufficient_scope/accounts:write");
}

TEST_F(AccountsTest, A12_NothingOfOneAccountIsVisibleToAnother) {
  auto created = CreateAccount(root_);
  const auto caller = As(created->key.raw_key.Reveal());
  EXPECT_EQ(created->key.record.created_by, (key::Actor{key::ActorKind::kSystem, "accounts"}));
  for (const auto& record : Trail(created->account.id)) {
    EXPECT_NE(record.actor, root_.actor());
    EXPECT_EQ(record.ip, "");
  }
  const auto trail = Trail();
  EXPECT_EQ(trail.front().action, "account.create");
  EXPECT_EQ(trail.front().subject, created->account.id.ToString());
  EXPECT_EQ(trail.front().actor, root_.actor());
}

TEST_F(AccountsTest, TheNamesLimitAtNAndOneMore) {
  EXPECT_EQ(Say(CreateAccount(root_, std::string(100, 'a'))), "ok");
  EXPECT_EQ(Say(CreateAccount(root_, std::string(101, 'a'))), "invalid/name");
  EXPECT_EQ(Say(CreateAccount(root_, "")), "invalid/name");
  EXPECT_EQ(Say(Bootstrap("")), "invalid/name");
}

TEST_F(AccountsTest, AStoreThatFailsIsSaid) {
  store_.Inject(Call::kListAccounts, Fault::kFail);
  EXPECT_EQ(Say(ListAccounts(root_)), "unavailable");
  EXPECT_EQ(Say(ListAccounts(root_)), "ok");
}

}  // namespace
}  // namespace p402::service
