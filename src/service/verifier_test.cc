#include "service/verifier.h"

#include <functional>

#include "service/service_test.h"

namespace p402::service {
namespace {

// Lets something happen in the middle of a verification: where it looks at the time.
class HookedClock final : public Clock {
 public:
  explicit HookedClock(const Clock& behind) : behind_(behind) {}
  WallTime Now() const override {
    if (hook) hook();
    return behind_.Now();
  }
  BootTime Boot() const override { return behind_.Boot(); }
  std::function<void()> hook;

 private:
  const Clock& behind_;
};

class VerifierTest : public ServiceTest {
 protected:
  CreatedKey key_ = *Create(root_, {.name = "n"});
  HookedClock hooked_{clock_};
};

TEST_F(VerifierTest, V1_AnswersWithTheKey) {
  auto answer = verifier_.Verify(key_.raw_key.Reveal(), {});
  ASSERT_EQ(Say(answer), "ok");
  EXPECT_EQ(answer->decision, key::Decision::kValid);
  EXPECT_EQ(answer->key.id(), key_.record.id);
  EXPECT_EQ(index_.LastUsed(key_.record.id), clock_.Now()) << "L1";
}

TEST_F(VerifierTest, V4_WhileNotCurrentNothingIsLookedUp) {
  feed_.Stop();
  EXPECT_EQ(Say(verifier_.Verify(key_.raw_key.Reveal(), {})), "unavailable/not_ready");
  EXPECT_FALSE(index_.LastUsed(key_.record.id));
  EXPECT_EQ(Say(authenticator_.Authenticate(key_.raw_key.Reveal(), {}, "")),
            "unavailable/not_ready");
  EXPECT_FALSE(index_.LastUsed(key_.record.id));
}

TEST_F(VerifierTest, V4_AnAnswerThatTheEndOfCurrencyOvertookIsNotGiven) {
  Verifier verifier(index_, feed_, hooked_);
  hooked_.hook = [&] { feed_.Stop(); };
  EXPECT_EQ(Say(verifier.Verify(key_.raw_key.Reveal(), {})), "unavailable/not_ready");
}

TEST_F(VerifierTest, V4_NorIsACallerAuthenticated) {
  Authenticator authenticator(index_, feed_, hooked_);
  hooked_.hook = [&] { feed_.Stop(); };
  EXPECT_EQ(Say(authenticator.Authenticate(key_.raw_key.Reveal(), {}, "")),
            "unavailable/not_ready");
}

TEST_F(VerifierTest, R2_NorIsARecheckGranted) {
  Authenticator authenticator(index_, feed_, hooked_);
  hooked_.hook = [&] { feed_.Stop(); };
  EXPECT_EQ(Say(authenticator.Recheck(root_, {})), "unavailable/not_ready");
}

}  // namespace
}  // namespace p402::service
