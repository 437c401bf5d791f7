// Durable commits in the current folder's file system: one after the other, 64 under way at once,
// and in whole batches of 64; each has the median time of a commit or batch.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/typeid.h"
#include "store/sqlite/sqlite_store.h"

namespace p402::store::sqlite {
namespace {

class Bench {
 public:
  Bench() {
    folder_ = std::filesystem::current_path() / "p402-commit-bench";
    std::filesystem::remove_all(folder_);
    store_ = *Open({.folder = folder_}, clock_, random_, log_, *metrics_);
    account_ = key::AccountId::New(generator_);
    Writes writes;
    writes.accounts.push_back({.id = account_, .name = "acme", .is_first = true});
    writes.audit.push_back({.account = account_, .action = "account.create"});
    Commit(std::move(writes));
    Wait(0);
  }
  ~Bench() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  Writes NewKey() {
    key::Record record{.id = key::KeyId::New(generator_), .account = account_};
    random_.Fill(record.digest);
    record.name = "production-agent-v2";
    record.prefix = "p402_live_a8f2bc";
    record.created_at = clock_.Now();
    record.created_by = {.kind = key::ActorKind::kSystem, .id = "bench"};
    Writes writes;
    writes.audit.push_back({.account = account_,
                            .actor = record.created_by,
                            .action = "key.create",
                            .subject = record.id.ToString(),
                            .details = "{}"});
    writes.keys.push_back({.record = std::move(record), .kind = ChangeKind::kPermit});
    return writes;
  }

  void Commit(Writes writes) {
    {
      std::lock_guard lock(mutex_);
      ++pending_;
    }
    store_->Commit([writes = std::move(writes)](Transaction&) -> Result<Writes> { return writes; },
                   Callback<Result<Committed>>(executor_, [this](Result<Committed> result) {
                     std::lock_guard lock(mutex_);
                     if (!result) ++failures_;
                     --pending_;
                     answered_.notify_one();
                   }));
  }
  // Until at most this many are under way.
  void Wait(int most) {
    std::unique_lock lock(mutex_);
    answered_.wait(lock, [&] { return pending_ <= most; });
  }
  const Clock& clock() const { return clock_; }
  int failures() {
    std::lock_guard lock(mutex_);
    return failures_;
  }

 private:
  RealClock clock_;
  SystemRandom random_;
  NullLog log_;
  std::unique_ptr<Metrics> metrics_ = Metrics::Create();
  Uuid7Generator generator_{clock_, random_};
  TaskThread executor_{"bench", clock_};
  std::filesystem::path folder_;
  std::unique_ptr<Store> store_;
  key::AccountId account_;
  std::mutex mutex_;
  std::condition_variable answered_;
  int pending_ = 0;
  int failures_ = 0;
};

// The median of what was added, as a figure of the benchmark: an fsync now and then takes a hundred
// times as long as the others, which an average would show and nothing else.
class Median {
 public:
  explicit Median(const Clock& clock) : clock_(clock) {}
  void Begin() { began_ = clock_.Boot(); }
  void End() { took_.push_back(std::chrono::duration<double, std::micro>(clock_.Boot() - began_)); }
  void Report(benchmark::State& state) {
    if (took_.empty()) return;
    const auto middle = took_.begin() + static_cast<ptrdiff_t>(took_.size() / 2);
    std::ranges::nth_element(took_, middle);
    state.counters["p50_us"] = middle->count();
  }

 private:
  const Clock& clock_;
  BootTime began_{};
  std::vector<std::chrono::duration<double, std::micro>> took_;
};

void Finish(Bench& bench, benchmark::State& state, int64_t commits) {
  bench.Wait(0);
  if (bench.failures() > 0) state.SkipWithError("a commit failed");
  state.SetItemsProcessed(commits);
}

// One client that waits for each.
void OneByOne(benchmark::State& state) {
  Bench bench;
  Median median(bench.clock());
  for (auto _ : state) {
    median.Begin();
    bench.Commit(bench.NewKey());
    bench.Wait(0);
    median.End();
  }
  median.Report(state);
  Finish(bench, state, state.iterations());
}
BENCHMARK(OneByOne)->UseRealTime();

// The argument is how many commits are under way at once: a new one as soon as one is done.
void UnderWay(benchmark::State& state) {
  Bench bench;
  const int clients = static_cast<int>(state.range(0));
  for (auto _ : state) {
    bench.Wait(clients - 1);
    bench.Commit(bench.NewKey());
  }
  Finish(bench, state, state.iterations());
}
BENCHMARK(UnderWay)->Arg(64)->UseRealTime();

// The argument is how many keys one transaction writes: the least that a durable key can cost.
void Batches(benchmark::State& state) {
  Bench bench;
  Median median(bench.clock());
  const int64_t size = state.range(0);
  for (auto _ : state) {
    Writes batch;
    for (int64_t i = 0; i < size; ++i) {
      Writes one = bench.NewKey();
      batch.keys.push_back(std::move(one.keys.front()));
      batch.audit.push_back(std::move(one.audit.front()));
    }
    median.Begin();
    bench.Commit(std::move(batch));
    bench.Wait(0);
    median.End();
  }
  median.Report(state);
  Finish(bench, state, state.iterations() * size);
}
BENCHMARK(Batches)->Arg(64)->UseRealTime();

}  // namespace
}  // namespace p402::store::sqlite
