#include "service/engine.h"

#include <utility>

#include "base/await.h"
#include "base/guarded_scheduler.h"
#include "feed/snapshot_writer.h"
#include "index/index.h"
#include "index/snapshot.h"
#include "service/usage.h"
#include "store/sqlite/sqlite_store.h"

namespace p402::service {

// Members are destroyed from the bottom up. Stop() closes `store` before, while the executors that
// its completions need are there.
struct Engine::Parts {
  Parts(EngineOptions engine_options, const Clock& engine_clock, Random& engine_random,
        Log& engine_log)
      : options(std::move(engine_options)),
        clock(engine_clock),
        random(engine_random),
        log(engine_log) {}

  EngineOptions options;
  const Clock& clock;
  Random& random;
  Log& log;
  std::unique_ptr<Metrics> metrics = Metrics::Create();
  // Threads by name: see ARCHITECTURE.md.
  TaskThread main_thread{"p402-main", clock};  // completions that Await waits for
  TaskThread feed_thread{"p402-feed", clock};
  GuardedScheduler usage_thread{"p402-usage", clock};
  GuardedScheduler anchor_thread{"p402-anchor", clock};
  GuardedScheduler snapshot_thread{"p402-snapshot", clock};
  std::unique_ptr<store::Store> store = {};

  // Everything that needs the store; made when it is open.
  struct Services {
    explicit Services(Parts& p)
        : index(p.options.brand),
          ids(p.clock, p.random),
          feed(*p.store, index, p.feed_thread, p.clock, p.log, *p.metrics),
          snapshots({.file = p.options.folder / index::kSnapshotName, .store = p.store->id()}, feed,
                    index, p.snapshot_thread, p.clock, p.log),
          authenticator(index, feed, p.clock, p.options.marks_use),
          verifier(index, feed, p.clock, p.options.marks_use),
          usage(index, *p.store, p.usage_thread, p.clock, p.log, *p.metrics),
          keys({.brand = p.options.brand, .usage = &usage}, *p.store, feed, index, p.clock,
               p.random, ids, p.log, *p.metrics),
          accounts({.brand = p.options.brand}, *p.store, feed, p.clock, p.random, ids),
          audit(*p.store, p.random, p.log) {}

    index::Index index;
    Uuid7Generator ids;
    feed::Feed feed;
    feed::SnapshotWriter snapshots;
    Authenticator authenticator;
    Verifier verifier;
    UsageWriter usage;
    Keys keys;
    Accounts accounts;
    Audit audit;
  };
  std::unique_ptr<Services> services = {};
};

Engine::Engine(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Engine::~Engine() {
  // Why marks could not be written is in the log.
  [[maybe_unused]] const Status stopped = Stop();
}

Result<std::unique_ptr<Engine>> Engine::Open(EngineOptions options, const Clock& clock,
                                             Random& random, Log& log) {
  P402_TRY(key::CheckBrand(options.brand));
  auto parts = std::make_unique<Parts>(std::move(options), clock, random, log);
  const store::sqlite::Options store_options{.folder = parts->options.folder,
                                             .create = parts->options.create};
  P402_TRY(parts->store, store::sqlite::Open(store_options, clock, random, log, *parts->metrics));
  parts->services = std::make_unique<Parts::Services>(*parts);
  return std::unique_ptr<Engine>(new Engine(std::move(parts)));
}

Result<std::optional<key::AccountId>> Engine::FindFirstAccount() {
  using Listed = Result<std::vector<store::Account>>;
  P402_TRY(const auto accounts, Await<Listed>(executor(), [this](Callback<Listed> done) {
             parts_->store->accounts().List(std::move(done));
           }));
  for (const auto& account : accounts) {
    if (account.is_first) return account.id;
  }
  return std::optional<key::AccountId>();
}

Result<CreatedAccount> Engine::MakeFirstAccount(std::string name) {
  using Created = Result<CreatedAccount>;
  return Await<Created>(executor(), [&](Callback<Created> done) {
    parts_->services->accounts.Bootstrap(std::move(name), std::move(done));
  });
}

void Engine::Load(std::move_only_function<void(Status)> done) {
  Parts& p = *parts_;
  p.services->usage.Start();
  p.services->audit.StartHourlyAnchor(p.anchor_thread);
  p.services->snapshots.Start();
  p.services->feed.Start(Callback<Status>(p.main_thread, std::move(done)),
                         feed::SnapshotSource{.file = p.options.folder / index::kSnapshotName,
                                              .executor = p.snapshot_thread});
}

// The order: marks while the store is open, and a snapshot while the feed is current; nothing waits
// for the feed any more; no task of ours starts another store call; the store finishes and completes into executors that are still there.
Status Engine::Stop() {
  Parts& p = *parts_;
  if (!p.store) return {};
  auto flushed = Await<Status>(
      p.main_thread, [&](Callback<Status> done) { p.services->usage.Flush(std::move(done)); });
  if (!flushed) p.log.Error("usage.flush_failed", {{"detail", flushed.error().detail}});
  // Without a snapshot the next start takes longer, and that is all.
  [[maybe_unused]] const auto written = Await<Status>(
      p.main_thread, [&](Callback<Status> done) { p.services->snapshots.Flush(std::move(done)); });
  p.services->feed.Stop();
  p.usage_thread.Close();
  p.anchor_thread.Close();
  p.snapshot_thread.Close();
  p.store.reset();
  return flushed;
}

Executor& Engine::executor() {
  return parts_->main_thread;
}
Metrics& Engine::metrics() {
  return *parts_->metrics;
}
Uuid7Generator& Engine::ids() {
  return parts_->services->ids;
}
store::Store& Engine::store() {
  return *parts_->store;
}
feed::Feed& Engine::feed() {
  return parts_->services->feed;
}
Authenticator& Engine::authenticator() {
  return parts_->services->authenticator;
}
Verifier& Engine::verifier() {
  return parts_->services->verifier;
}
Keys& Engine::keys() {
  return parts_->services->keys;
}
Accounts& Engine::accounts() {
  return parts_->services->accounts;
}
Audit& Engine::audit() {
  return parts_->services->audit;
}

}  // namespace p402::service
