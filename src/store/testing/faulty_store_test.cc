#include "store/testing/faulty_store.h"

#include <gtest/gtest.h>

#include <future>

#include "store/memory/memory_store.h"
#include "store/testing/driver.h"

namespace p402::store::testing {
namespace {

class FaultyStoreTest : public ::testing::Test {
 protected:
  FaultyStoreTest() { account_ = *driver_.AddAccount(faulty_); }

  Driver driver_;
  std::unique_ptr<Store> store_ = memory::Create(driver_.clock(), driver_.random());
  FaultyStore faulty_{*store_};
  key::AccountId account_;
};

TEST_F(FaultyStoreTest, PassesEverythingOn) {
  auto record = driver_.AddKey(faulty_, account_);
  ASSERT_TRUE(record);
  ASSERT_TRUE(driver_.Mark(faulty_, record->id));
  EXPECT_EQ((*driver_.Get(faulty_, *record))->last_used_at, driver_.clock().Now());
  EXPECT_EQ(driver_.ReadLog(faulty_)->size(), 2u);
  EXPECT_TRUE(driver_.Verify(faulty_)->is_intact);
  EXPECT_EQ(faulty_.calls(Call::kCommit), 2);
  EXPECT_EQ(faulty_.calls(Call::kBackup), 0);
}

TEST_F(FaultyStoreTest, FailsTheNthCallOfItsKind) {
  faulty_.Inject(Call::kCommit, Fault::kFail, 2, 2,
                 {.code = ErrorCode::kIo, .detail = "torn wire"});
  EXPECT_TRUE(driver_.AddKey(faulty_, account_));
  for (int i = 0; i < 2; ++i) {
    auto refused = driver_.AddKey(faulty_, account_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kIo);
  }
  EXPECT_TRUE(driver_.ReadLog(faulty_)) << "another kind";
  EXPECT_TRUE(driver_.AddKey(faulty_, account_));
  EXPECT_EQ(driver_.ReadLog(faulty_)->size(), 3u) << "what failed did not happen";
}

TEST_F(FaultyStoreTest, LosesAnAnswer) {
  faulty_.Inject(Call::kCommit, Fault::kLoseAnswer);
  EXPECT_FALSE(driver_.AddKey(faulty_, account_));
  EXPECT_EQ(driver_.ReadLog(faulty_)->size(), 2u) << "but it happened";
}

TEST_F(FaultyStoreTest, DelaysACallOrItsAnswer) {
  for (const Fault fault : {Fault::kDelay, Fault::kDelayAnswer}) {
    const auto before = driver_.ReadLog(*store_)->size();
    faulty_.Inject(Call::kCommit, fault);
    std::promise<Result<Committed>> promise;
    auto answer = promise.get_future();
    faulty_.Commit(Driver::PlanOf(Driver::ChangeOf(driver_.NewKey(account_), ChangeKind::kPermit)),
                   Callback<Result<Committed>>(driver_.executor(), [&](Result<Committed> result) {
                     promise.set_value(std::move(result));
                   }));
    // What was posted before has run now.
    Await<int>(driver_.executor(), [](auto done) { std::move(done)(0); });
    EXPECT_EQ(faulty_.delayed(), 1u);
    EXPECT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
    EXPECT_EQ(driver_.ReadLog(*store_)->size(), before + (fault == Fault::kDelay ? 0 : 1));
    faulty_.Release();
    EXPECT_TRUE(answer.get());
    EXPECT_EQ(faulty_.delayed(), 0u);
  }
}

TEST_F(FaultyStoreTest, ForgetsFaultsThatHaveNotStruck) {
  faulty_.Inject(Call::kCommit, Fault::kFail);
  faulty_.Clear();
  EXPECT_TRUE(driver_.AddKey(faulty_, account_));
}

}  // namespace
}  // namespace p402::store::testing
