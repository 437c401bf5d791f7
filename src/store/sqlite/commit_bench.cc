// Durable commits on a real disk: one client that waits for each, and 64 at once.
#include <benchmark/benchmark.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>

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

// The argument is how many commits are under way at once.
void Commits(benchmark::State& state) {
  Bench bench;
  const int clients = static_cast<int>(state.range(0));
  for (auto _ : state) {
    bench.Wait(clients - 1);
    bench.Commit(bench.NewKey());
  }
  bench.Wait(0);
  if (bench.failures() > 0) state.SkipWithError("a commit failed");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Commits)->Arg(1)->Arg(64)->UseRealTime()->MinTime(3.0);

}  // namespace
}  // namespace p402::store::sqlite
