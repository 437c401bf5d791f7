#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "service/service_test.h"
#include "store/testing/driver.h"

namespace p402::service {
namespace {

using ::testing::HasSubstr;

class EnforcementTest : public ServiceTest {};

TEST_F(EnforcementTest, R1_DeleteAnswersAfterTheIndexHasIt) {
  auto created = Create(root_, {.name = "n"});
  const std::string raw_key(created->raw_key.Reveal());
  store_.Inject(Call::kReadLog, Fault::kDelayAnswer);
  Outcome<Result<RevokeResult>> revoked;
  keys_.Revoke(root_, created->record.id, {}, Wait::kEnforced, revoked.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_TRUE(Stored(created->record.id).revoked_at) << "committed";
  EXPECT_EQ(Ask(raw_key), "valid") << "but this node does not know yet";
  EXPECT_FALSE(revoked.value) << "so there is no answer";
  store_.Release();
  scheduler_.RunUntilIdle();
  ASSERT_TRUE(revoked.value);
  EXPECT_TRUE((*revoked.value)->enforcement.is_enforced);
  EXPECT_EQ(Ask(raw_key), "revoked");
}

TEST_F(EnforcementTest, R1_WhoDoesNotWaitIsToldWhoIsPending) {
  auto created = Create(root_, {.name = "n"});
  store_.Inject(Call::kReadLog, Fault::kDelayAnswer);
  auto revoked = Revoke(root_, created->record.id, {}, Wait::kCommitted);
  ASSERT_EQ(Say(revoked), "ok");
  EXPECT_FALSE(revoked->enforcement.is_enforced);
  EXPECT_EQ(revoked->enforcement.pending_nodes, std::vector<std::string>{feed_.node_id()});
  EXPECT_GT(revoked->enforcement.seq, 0);
  EXPECT_EQ(Ask(created->raw_key.Reveal()), "valid");
  store_.Release();
  scheduler_.RunUntilIdle();
  EXPECT_EQ(Ask(created->raw_key.Reveal()), "revoked") << "enforced although nobody waits";
}

TEST_F(EnforcementTest, R1_CommittedButNotKnownToBeEnforcedIsNoSuccess) {
  auto created = Create(root_, {.name = "n"});
  store_.Inject(Call::kReadLog, Fault::kFail, 1, 6);
  Outcome<Result<RevokeResult>> revoked;
  keys_.Revoke(root_, created->record.id, {}, Wait::kEnforced, revoked.Into(scheduler_));
  scheduler_.Advance(Millis(2000));
  ASSERT_TRUE(revoked.value);
  EXPECT_EQ(Say(*revoked.value), "unavailable");
  EXPECT_THAT(revoked.value->error().detail, HasSubstr("committed"));
  EXPECT_TRUE(Stored(created->record.id).revoked_at);
  EXPECT_EQ(Say(Revoke(root_, created->record.id)), "ok") << "the repetition enforces";
}

TEST_F(EnforcementTest, R1_ACommitWhoseAnswerIsLostIsAppliedAllTheSame) {
  auto created = Create(root_, {.name = "n"});
  store_.Inject(Call::kCommit, Fault::kLoseAnswer);
  EXPECT_EQ(Say(Revoke(root_, created->record.id)), "unavailable");
  scheduler_.Advance(Millis(200));
  EXPECT_EQ(Ask(created->raw_key.Reveal()), "revoked");
}

TEST_F(EnforcementTest, AStoreThatFailsChangesNothing) {
  const int64_t end = LogEnd();
  const auto target = root_.record->id;
  store_.Inject(Call::kCommit, Fault::kFail, 1, 4);
  EXPECT_EQ(Say(Create(root_, {.name = "n"})), "unavailable");
  EXPECT_EQ(Say(Update(root_, target, {.name = "n"})), "unavailable");
  EXPECT_EQ(Say(Revoke(root_, target)), "unavailable");
  EXPECT_EQ(Say(Rotate(root_, target)), "unavailable");
  EXPECT_EQ(LogEnd(), end);
}

TEST_F(EnforcementTest, V4_AfterStopNothingIsValid) {
  auto created = Create(root_, {.name = "n"});
  feed_.Stop();
  EXPECT_EQ(Ask(created->raw_key.Reveal()), "unavailable");
  auto caller = authenticator_.Authenticate(created->raw_key.Reveal(), Ip("10.1.2.3"), "r");
  EXPECT_EQ(Say(caller), "unavailable/not_ready");
  EXPECT_EQ(Say(authenticator_.Recheck(root_, {})), "unavailable/not_ready");
  Outcome<Result<RevokeResult>> revoked;
  keys_.Revoke(root_, created->record.id, {}, Wait::kEnforced, revoked.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_EQ(Say(*revoked.value), "unavailable");
}

// One node on real threads.
struct ThreadedNode {
  ThreadedNode() {
    auto first = Wait<Result<CreatedAccount>>(
        [&](auto done) { accounts.Bootstrap("first", std::move(done)); });
    EXPECT_TRUE(Wait<p402::Status>([&](auto done) { feed.Start(std::move(done)); }));
    root = *authenticator.Authenticate(first->key.raw_key.Reveal(), std::nullopt, "r");
  }
  ~ThreadedNode() { feed.Stop(); }

  template <class T, class Start>
  T Wait(Start start) {
    return Await<T>(executor, start);
  }

  testing::FakeClock clock;
  testing::SeededRandom random;
  Uuid7Generator ids{clock, random};
  NullLog log;
  std::unique_ptr<Metrics> metrics = Metrics::Create();
  TaskThread executor{"api", clock};
  TaskThread scheduler{"feed", clock};
  std::unique_ptr<store::Store> store = store::memory::Create(clock, random);
  index::Index index{"p402"};
  feed::Feed feed{*store, index, scheduler, clock, log, *metrics};
  Authenticator authenticator{index, feed, clock};
  Verifier verifier{index, feed, clock};
  Keys keys{{}, *store, feed, index, clock, random, ids, log, *metrics};
  Accounts accounts{{}, *store, feed, clock, random, ids};
  Caller root;
};

// A key, and whether its DELETE has been answered. A verifier reads `is_gone` before it asks: if it
// was set, the question started after the answer.
struct Watched {
  CreatedKey key;
  std::atomic<bool> is_gone{false};
};

TEST(EnforcementThreads, R1_NoVerifyThatStartsAfterTheAnswerSaysValid) {
  ThreadedNode node;
  std::vector<std::unique_ptr<Watched>> keys;
  for (int i = 0; i < 60; ++i) {
    auto created = node.Wait<Result<CreatedKey>>([&](auto done) {
      node.keys.Create(node.root, {.name = "n"}, service::Wait::kEnforced, std::move(done));
    });
    ASSERT_TRUE(created);
    keys.push_back(std::make_unique<Watched>());
    keys.back()->key = *std::move(created);
  }
  std::atomic<bool> is_over{false};
  std::atomic<int> late_valid{0};
  std::atomic<int> seen_valid{0};
  auto verify = [&] {
    while (!is_over) {
      for (const auto& watched : keys) {
        const bool is_gone = watched->is_gone;
        const auto answer = node.verifier.Verify(watched->key.raw_key.Reveal(), {});
        if (!answer || answer->decision != key::Decision::kValid) continue;
        ++(is_gone ? late_valid : seen_valid);
      }
    }
  };
  std::thread first(verify);
  std::thread second(verify);
  for (const auto& watched : keys) {
    auto revoked = node.Wait<Result<RevokeResult>>([&](auto done) {
      node.keys.Revoke(node.root, watched->key.record.id, {}, service::Wait::kEnforced,
                       std::move(done));
    });
    EXPECT_TRUE(revoked && revoked->enforcement.is_enforced);
    watched->is_gone = true;
    EXPECT_NE(node.verifier.Verify(watched->key.raw_key.Reveal(), {})->decision,
              key::Decision::kValid);
  }
  is_over = true;
  first.join();
  second.join();
  EXPECT_EQ(late_valid, 0);
  EXPECT_GT(seen_valid, 0) << "the verifiers were there in time";
}

TEST(EnforcementThreads, R2_ADyingKeyLeavesNoHeirBehind) {
  ThreadedNode node;
  auto created = node.Wait<Result<CreatedKey>>([&](auto done) {
    node.keys.Create(node.root, {.name = "dying"}, service::Wait::kEnforced, std::move(done));
  });
  const auto dying = *node.authenticator.Authenticate(created->raw_key.Reveal(), std::nullopt, "");
  std::atomic<bool> is_over{false};
  std::vector<std::string> heirs;
  std::thread attacker([&] {
    while (!is_over) {
      auto heir = node.Wait<Result<CreatedKey>>([&](auto done) {
        node.keys.Create(dying, {.name = "heir"}, service::Wait::kCommitted, std::move(done));
      });
      if (heir) heirs.emplace_back(heir->raw_key.Reveal());
    }
  });
  while (node.index.size() < 20) std::this_thread::yield();
  auto revoked = node.Wait<Result<RevokeResult>>([&](auto done) {
    node.keys.Revoke(node.root, dying.record->id, {.cascade = true}, service::Wait::kEnforced,
                     std::move(done));
  });
  ASSERT_TRUE(revoked);
  is_over = true;
  attacker.join();
  EXPECT_EQ(revoked->cascaded.size(), heirs.size());
  for (const auto& heir : heirs) {
    EXPECT_EQ(node.verifier.Verify(heir, {})->decision, key::Decision::kRevoked);
  }
}

}  // namespace
}  // namespace p402::service
