#include <functional>
#include <string>

#include "service/service_test.h"

// R2: a request that was authenticated before its key changed, and commits after it.
namespace p402::service {
namespace {

// What happens to the caller's key between authentication and commit, and what the request gets.
struct Between {
  const char* name;
  UpdateRequest update;
  bool revokes = false;
  Millis passes{};
  std::string expected;
};

std::vector<Between> Cases() {
  return {
      {.name = "Revoked", .update = {}, .revokes = true, .expected = "unauthenticated/revoked"},
      {.name = "Disabled", .update = {.disabled = true}, .expected = "unauthenticated/disabled"},
      {.name = "Expired",
       .update = {},
       .passes = Millis(3'600'000),
       .expected = "unauthenticated/expired"},
      {.name = "BoundElsewhere",
       .update = {.allowed_cidrs = std::vector<std::string>{"192.0.2.0/24"}},
       .expected = "unauthenticated/ip_not_allowed"},
      {.name = "LostTheScope",
       .update = {.scopes = std::vector<std::string>{"a"}},
       .expected = "denied/insufficient_scope/"}};
}

class InFlightTest : public ServiceTest, public ::testing::WithParamInterface<Between> {
 protected:
  // Starts `call` with its store call held, lets the caller's key change, and lets the call go on.
  template <class T, class Start>
  std::string Race(store::testing::Call held, Fault fault, const Caller& caller, Start start) {
    Outcome<Result<T>> outcome;
    store_.Inject(held, fault);
    start(outcome.Into(scheduler_));
    scheduler_.RunUntilIdle();
    EXPECT_FALSE(outcome.value);
    const Between& between = GetParam();
    const auto id = caller.record->id;
    if (between.revokes) {
      EXPECT_EQ(Say(Revoke(root_, id)), "ok");
    } else if (between.passes > Millis(0)) {
      clock_.Advance(between.passes);
    } else {
      EXPECT_EQ(Say(Update(root_, id, between.update)), "ok");
    }
    store_.Release();
    scheduler_.RunUntilIdle();
    EXPECT_TRUE(outcome.value);
    return outcome.value ? Say(*outcome.value) : "";
  }
  std::string Expected(const std::string& scope) {
    const auto& expected = GetParam().expected;
    return expected.ends_with('/') ? expected + scope : expected;
  }
  Caller Actor() {
    return Plant({.scopes = Scopes({"*"}), .expires_at = clock_.Now() + Millis(3'600'000)});
  }
};

TEST_P(InFlightTest, R2_CreateFails) {
  const auto actor = Actor();
  const CreateRequest request{.name = "heir",
                              .scopes = std::vector<std::string>{"a"},
                              .expires_at = clock_.Now() + Millis(7'200'000)};
  EXPECT_EQ(Race<CreatedKey>(
                Call::kCommit, Fault::kDelay, actor,
                [&](auto done) { keys_.Create(actor, request, Wait::kEnforced, std::move(done)); }),
            Expected("keys:write"));
  for (const auto& record : List(root_)->keys) EXPECT_NE(record.name, "heir");
}

TEST_P(InFlightTest, R2_UpdateFails) {
  const auto actor = Actor();
  const auto target = PlantScopes({});
  EXPECT_EQ(Race<KeyResult>(Call::kCommit, Fault::kDelay, actor,
                            [&](auto done) {
                              keys_.Update(actor, target.record->id, {.name = "changed"},
                                           Wait::kEnforced, std::move(done));
                            }),
            Expected("keys:write"));
  EXPECT_EQ(Stored(target.record->id).name, "planted");
}

TEST_P(InFlightTest, R2_RevokeFails) {
  const auto actor = Actor();
  const auto target = PlantScopes({});
  EXPECT_EQ(Race<RevokeResult>(Call::kCommit, Fault::kDelay, actor,
                               [&](auto done) {
                                 keys_.Revoke(actor, target.record->id, {}, Wait::kEnforced,
                                              std::move(done));
                               }),
            Expected("keys:write"));
  EXPECT_FALSE(Stored(target.record->id).revoked_at);
}

TEST_P(InFlightTest, R2_RotateFails) {
  const auto actor = Actor();
  const auto target = Plant({.expires_at = clock_.Now() + Millis(3'600'000)});
  EXPECT_EQ(Race<CreatedKey>(Call::kCommit, Fault::kDelay, actor,
                             [&](auto done) {
                               keys_.Rotate(actor, target.record->id, Millis(0), Wait::kEnforced,
                                            std::move(done));
                             }),
            Expected("keys:write"));
}

TEST_P(InFlightTest, R2_CreatingAnAccountFails) {
  const auto actor = Actor();
  EXPECT_EQ(
      Race<CreatedAccount>(Call::kCommit, Fault::kDelay, actor,
                           [&](auto done) { accounts_.Create(actor, "other", std::move(done)); }),
      Expected("accounts:write"));
}

TEST_P(InFlightTest, R2_PruningTheTrailFails) {
  const auto actor = Actor();
  EXPECT_EQ(Race<int64_t>(Call::kCommit, Fault::kDelay, actor,
                          [&](auto done) {
                            audit_.Prune(actor, Millis(1) + std::chrono::hours(24),
                                         std::move(done));
                          }),
            Expected("audit:prune"));
  for (const auto& record : Trail()) EXPECT_NE(record.action, "audit.prune");
}

TEST_P(InFlightTest, R2_AReadIsNotAnswered) {
  const auto actor = Actor();
  EXPECT_EQ(
      Race<key::Record>(Call::kGet, Fault::kDelayAnswer, actor,
                        [&](auto done) { keys_.Get(actor, root_.record->id, std::move(done)); }),
      Expected("keys:read"));
}

TEST_P(InFlightTest, R2_AListIsNotAnswered) {
  const auto actor = Actor();
  EXPECT_EQ(Race<ListResult>(Call::kListKeys, Fault::kDelayAnswer, actor,
                             [&](auto done) { keys_.List(actor, {}, std::move(done)); }),
            Expected("keys:read"));
}

TEST_P(InFlightTest, R2_SelfIsNotAnswered) {
  const auto actor = Actor();
  const auto said = Race<key::Record>(Call::kGet, Fault::kDelayAnswer, actor,
                                      [&](auto done) { keys_.GetSelf(actor, std::move(done)); });
  EXPECT_EQ(said, GetParam().expected.starts_with("denied") ? "ok" : GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Changes, InFlightTest, ::testing::ValuesIn(Cases()),
                         [](const auto& one) { return std::string(one.param.name); });

class DyingKeyTest : public ServiceTest {};

// The other order: what committed before the revocation stands, and the cascade finds it.
TEST_F(DyingKeyTest, R2_WhatCommittedBeforeIsFoundByTheCascade) {
  const auto actor = PlantScopes({"*"});
  Outcome<Result<CreatedKey>> created;
  store_.Inject(Call::kCommit, Fault::kDelayAnswer);
  keys_.Create(actor, {.name = "heir"}, Wait::kEnforced, created.Into(scheduler_));
  scheduler_.RunUntilIdle();
  const auto revoked = Revoke(root_, actor.record->id, {.cascade = true});
  ASSERT_EQ(Say(revoked), "ok");
  EXPECT_EQ(revoked->cascaded.size(), 1u);
  store_.Release();
  scheduler_.RunUntilIdle();
  ASSERT_TRUE(created.value && *created.value);
  EXPECT_EQ(Ask((*created.value)->raw_key.Reveal()), "revoked");
}

}  // namespace
}  // namespace p402::service
