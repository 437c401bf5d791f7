#include "service/usage.h"

#include "service/service_test.h"

namespace p402::service {
namespace {

using ::testing::HasSubstr;

class UsageTest : public ServiceTest {
 protected:
  UsageTest() {
    usage_.Start();
    scheduler_.Advance(Millis(1000));
  }
  CreatedKey New() { return *Create(root_, {.name = "n"}); }
  void Use(const CreatedKey& key) { EXPECT_EQ(Ask(key.raw_key.Reveal()), "valid"); }
  std::optional<WallTime> Written(const CreatedKey& key) {
    return Stored(key.record.id).last_used_at;
  }
  Status Flush() {
    return Run<Status>([&](auto done) { usage_.Flush(std::move(done)); });
  }
  // So many keys that are marked at this moment.
  void MarkMany(size_t count) {
    std::vector<index::Mark> marks(count);
    for (auto& mark : marks) mark = {.key = key::KeyId::New(ids_), .at = clock_.Now()};
    index_.ReturnMarks(std::move(marks));
  }
};

TEST_F(UsageTest, L1_AUseIsWrittenWithinASecondAndNotAtOnce) {
  const auto key = New();
  Use(key);
  const WallTime used = clock_.Now();
  scheduler_.RunUntilIdle();
  EXPECT_FALSE(Written(key));
  scheduler_.Advance(Millis(500));
  EXPECT_EQ(Written(key), used);
  EXPECT_THAT(metrics_->Expose(), HasSubstr("p402_usage_written_total"));
}

TEST_F(UsageTest, L1_ManyUsesOfAKeyAreOneWrite) {
  const auto key = New();
  const int writes = store_.calls(Call::kWriteUsage);
  for (int i = 0; i < 10; ++i) {
    Use(key);
    clock_.Advance(Millis(1));
  }
  scheduler_.Advance(Millis(500));
  EXPECT_EQ(store_.calls(Call::kWriteUsage), writes + 1);
  EXPECT_EQ(Written(key), std::chrono::floor<std::chrono::seconds>(clock_.Now()));
}

TEST_F(UsageTest, L1_TenThousandKeysASecondAreWrittenWithinASecond) {
  MarkMany(10'000);
  scheduler_.Advance(Millis(500));
  EXPECT_EQ(index_.waiting_marks(), 5000u);
  scheduler_.Advance(Millis(500));
  EXPECT_EQ(index_.waiting_marks(), 0u);
}

TEST_F(UsageTest, L1_BeyondItTheRateIsBoundedAndTheLagIsShown) {
  const WallTime used = clock_.Now();
  MarkMany(15'001);
  scheduler_.Advance(Millis(1500));
  EXPECT_EQ(index_.waiting_marks(), 1u);
  EXPECT_THAT(metrics_->Expose(), HasSubstr("p402_usage_waiting_marks 1"));
  EXPECT_THAT(metrics_->Expose(), HasSubstr("p402_usage_lag_seconds 1.5"));
  EXPECT_LE(usage_.complete_through(), used);
  scheduler_.Advance(Millis(1500));
  EXPECT_EQ(index_.waiting_marks(), 0u);
  EXPECT_GT(usage_.complete_through(), used);
}

TEST_F(UsageTest, L1_CompleteThroughIsAClaimThatHolds) {
  const auto key = New();
  Use(key);
  const WallTime used = clock_.Now();
  EXPECT_LE(usage_.complete_through(), used);
  while (usage_.complete_through() <= used) {
    EXPECT_TRUE(usage_.complete_through() <= used || Written(key));
    scheduler_.Advance(Millis(100));
  }
  EXPECT_EQ(Written(key), used);
}

TEST_F(UsageTest, L1_AFailedWriteGivesTheMarksBack) {
  const auto key = New();
  Use(key);
  const WallTime used = clock_.Now();
  store_.Inject(Call::kWriteUsage, Fault::kFail, 1, 3);
  scheduler_.Advance(Millis(1500));
  EXPECT_FALSE(Written(key));
  EXPECT_GE(index_.waiting_marks(), 1u);
  EXPECT_LE(usage_.complete_through(), used) << "nothing is claimed that is not written";
  scheduler_.Advance(Millis(500));
  EXPECT_EQ(Written(key), used);
  size_t warnings = 0;
  for (const auto& line : log_.Lines()) warnings += line.starts_with("usage.write_failed");
  EXPECT_EQ(warnings, 1u);
}

TEST_F(UsageTest, L1_OneWriteIsUnderWayAtATime) {
  const auto key = New();
  Use(key);
  store_.Inject(Call::kWriteUsage, Fault::kDelay);
  scheduler_.Advance(Millis(500));
  const int writes = store_.calls(Call::kWriteUsage);
  clock_.Advance(Millis(1000));
  Use(key);
  scheduler_.Advance(Millis(2000));
  EXPECT_EQ(store_.calls(Call::kWriteUsage), writes);
  store_.Release();
  scheduler_.Advance(Millis(500));
  EXPECT_EQ(index_.waiting_marks(), 0u);
}

TEST_F(UsageTest, C1_FlushWritesEverythingAtOnce) {
  const auto key = New();
  Use(key);
  MarkMany(12'000);
  EXPECT_EQ(Say(Flush()), "ok");
  EXPECT_EQ(index_.waiting_marks(), 0u);
  EXPECT_EQ(Written(key), clock_.Now());
}

TEST_F(UsageTest, C1_FlushWaitsForTheWriteThatIsUnderWay) {
  const auto key = New();
  Use(key);
  store_.Inject(Call::kWriteUsage, Fault::kDelay);
  scheduler_.Advance(Millis(500));
  Outcome<Status> flushed;
  usage_.Flush(flushed.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_FALSE(flushed.value);
  store_.Release();
  scheduler_.RunUntilIdle();
  ASSERT_TRUE(flushed.value);
  EXPECT_EQ(Say(*flushed.value), "ok");
  EXPECT_TRUE(Written(key));
}

TEST_F(UsageTest, C1_AFailedFlushSaysSoAndLosesNothing) {
  const auto key = New();
  Use(key);
  store_.Inject(Call::kWriteUsage, Fault::kFail);
  EXPECT_EQ(Say(Flush()), "unavailable");
  EXPECT_EQ(Say(Flush()), "ok");
  EXPECT_TRUE(Written(key));
}

TEST_F(UsageTest, FlushOfNothingCompletes) {
  ASSERT_EQ(Say(Flush()), "ok");
  EXPECT_EQ(Say(Flush()), "ok");
}

TEST_F(UsageTest, DestructionEndsWhatWaits) {
  auto writer = std::make_unique<UsageWriter>(index_, store_, scheduler_, clock_, log_, *metrics_);
  writer->Start();
  Use(New());
  store_.Inject(Call::kWriteUsage, Fault::kDelay);
  Outcome<Status> flushed;
  writer->Flush(flushed.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_FALSE(flushed.value);
  writer.reset();
  store_.Release();
  scheduler_.Advance(Millis(1000));
  ASSERT_TRUE(flushed.value);
  EXPECT_EQ(Say(*flushed.value), "unavailable");
}

}  // namespace
}  // namespace p402::service
