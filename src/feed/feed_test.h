#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/testing/fakes.h"
#include "feed/feed.h"
#include "store/memory/memory_store.h"
#include "store/testing/driver.h"
#include "store/testing/faulty_store.h"

namespace p402::feed {

// A store whose log answers can be falsified on their way.
class ForgedStore final : public store::Store, private store::ChangeLog {
 public:
  explicit ForgedStore(store::Store& behind) : behind_(behind) {}
  std::function<void(std::vector<store::Change>&)> forge;

  const Uuid& id() const override { return behind_.id(); }
  void Commit(store::Plan plan, Callback<Result<store::Committed>> done) override {
    behind_.Commit(std::move(plan), std::move(done));
  }
  store::Keys& keys() override { return behind_.keys(); }
  store::Accounts& accounts() override { return behind_.accounts(); }
  store::ChangeLog& log() override { return *this; }
  store::Usage& usage() override { return behind_.usage(); }
  store::Audit& audit() override { return behind_.audit(); }
  void Backup(std::filesystem::path target, Callback<Status> done) override {
    behind_.Backup(std::move(target), std::move(done));
  }

 private:
  using Log = Result<std::vector<store::Change>>;
  void ReadHead(int32_t shard, Callback<Result<store::Head>> done) override {
    behind_.log().ReadHead(shard, std::move(done));
  }
  void Read(int32_t shard, int64_t from, size_t limit, Callback<Log> done) override {
    Executor& executor = done.executor();
    auto answer = [this, done = std::move(done)](Log log) mutable {
      if (log && forge) forge(*log);
      std::move(done)(std::move(log));
    };
    behind_.log().Read(shard, from, limit, Callback<Log>(executor, std::move(answer)));
  }

  store::Store& behind_;
};

// What a call completed with, if it has.
template <class T>
struct Outcome {
  std::optional<T> value;
  Callback<T> Into(Executor& executor) {
    return Callback<T>(executor, [this](T v) { value = std::move(v); });
  }
  bool is_ok() const { return value && value->has_value(); }
  ErrorCode code() const { return value->error().code; }
};
using Reached = Outcome<Result<BarrierReport>>;

// One node on a store in memory, driven step by step.
class FeedTest : public ::testing::Test {
 protected:
  FeedTest() { account_ = *driver_.AddAccount(*memory_); }
  ~FeedTest() override { feed_.Stop(); }

  void Start() {
    Outcome<Status> started;
    feed_.Start(started.Into(scheduler_));
    scheduler_.RunUntilIdle();
    ASSERT_TRUE(started.is_ok());
  }
  key::Record AddKey() { return *driver_.AddKey(*memory_, account_); }
  key::Decision Ask(const key::Record& record) {
    return index_.Recheck(record.digest, {}, clock_.Now()).decision;
  }
  // What the index must be: every key of the store.
  std::vector<key::Record> Stored() {
    auto keys = Await<Result<std::vector<key::Record>>>(driver_.executor(), [&](auto done) {
      memory_->keys().Scan({}, 1'000'000, std::move(done));
    });
    for (auto& record : *keys) record.last_used_at.reset();
    return *keys;
  }

  store::testing::Driver driver_;
  testing::FakeClock& clock_ = driver_.clock();
  std::unique_ptr<store::Store> memory_ = store::memory::Create(clock_, driver_.random());
  ForgedStore forged_{*memory_};
  store::testing::FaultyStore store_{forged_};
  testing::ManualScheduler scheduler_{clock_};
  testing::MemoryLog log_;
  std::unique_ptr<Metrics> metrics_ = Metrics::Create();
  index::Index index_{"p402"};
  Feed feed_{store_, index_, scheduler_, clock_, log_, *metrics_};
  key::AccountId account_;
};

}  // namespace p402::feed
