#include "app/node.h"

#include <future>

#include "app/guarded_scheduler.h"
#include "base/metrics.h"
#include "index/index.h"
#include "service/accounts.h"
#include "service/audit.h"
#include "service/authenticator.h"
#include "service/keys.h"
#include "service/usage.h"
#include "service/verifier.h"
#include "store/sqlite/sqlite_store.h"

namespace p402::app {
namespace {

// Waits for one completion. Requires: another thread than the executor's.
template <class T, class Start>
T Await(Executor& executor, Start start) {
  std::promise<T> promise;
  auto future = promise.get_future();
  start(Callback<T>(executor, [&promise](T value) { promise.set_value(std::move(value)); }));
  return future.get();
}

Result<std::optional<key::AccountId>> FindFirstAccount(store::Store& store, Executor& executor) {
  using Accounts = Result<std::vector<store::Account>>;
  auto accounts = Await<Accounts>(
      executor, [&](Callback<Accounts> done) { store.accounts().List(std::move(done)); });
  if (!accounts) return Failure(std::move(accounts).error());
  for (const auto& account : *accounts) {
    if (account.is_first) return account.id;
  }
  return std::optional<key::AccountId>();
}

}  // namespace

// Members are destroyed from the bottom up. Stop() takes `store` and `server` apart before, in the
// order that their completions need.
struct Node::Parts {
  Parts(NodeOptions node_options, const Clock& node_clock, Random& node_random, Log& node_log)
      : options(std::move(node_options)), clock(node_clock), random(node_random), log(node_log) {}

  NodeOptions options;
  const Clock& clock;
  Random& random;
  Log& log;
  std::unique_ptr<Metrics> metrics = Metrics::Create();
  // Threads by name: see ARCHITECTURE.md.
  TaskThread main_thread{"p402-main", clock};  // completions that Await waits for
  TaskThread feed_thread{"p402-feed", clock};
  GuardedScheduler usage_thread{"p402-usage", clock};
  GuardedScheduler anchor_thread{"p402-anchor", clock};
  std::unique_ptr<store::Store> store = {};

  // Everything that needs the store; made when it is open.
  struct Services {
    explicit Services(Parts& p)
        : index(p.options.brand),
          ids(p.clock, p.random),
          throttle(limit::ThrottleOptions{}),
          feed(*p.store, index, p.feed_thread, p.clock, p.log, *p.metrics),
          authenticator(index, feed, p.clock),
          verifier(index, feed, p.clock),
          usage(index, *p.store, p.usage_thread, p.clock, p.log, *p.metrics),
          keys({.brand = p.options.brand, .usage = &usage}, *p.store, feed, index, p.clock,
               p.random, ids, p.log, *p.metrics),
          accounts({.brand = p.options.brand}, *p.store, feed, p.clock, p.random, ids),
          audit(*p.store, p.random, p.log) {}

    index::Index index;
    Uuid7Generator ids;
    limit::Throttle throttle;
    feed::Feed feed;
    service::Authenticator authenticator;
    service::Verifier verifier;
    service::UsageWriter usage;
    service::Keys keys;
    service::Accounts accounts;
    service::Audit audit;
  };
  std::unique_ptr<Services> services = {};
  std::optional<FirstKey> first_key = {};
  std::unique_ptr<api::Api> api = {};
  std::unique_ptr<api::AuthzOnly> authz_only = {};
  std::unique_ptr<net::Server> server = {};
  bool is_stopped = false;

  Status OpenStore();
  Result<key::AccountId> EnsureFirstAccount();
  Status MakeApi(const key::AccountId& first_account);
};

Status Node::Parts::OpenStore() {
  const store::sqlite::Options store_options{.folder = options.data};
  P402_TRY(store, store::sqlite::Open(store_options, clock, random, log, *metrics));
  services = std::make_unique<Services>(*this);
  return {};
}

Result<key::AccountId> Node::Parts::EnsureFirstAccount() {
  P402_TRY(const auto present, FindFirstAccount(*store, main_thread));
  if (present) return *present;
  using Created = Result<service::CreatedAccount>;
  auto created = Await<Created>(main_thread, [&](Callback<Created> done) {
    services->accounts.Bootstrap(options.first_account_name, std::move(done));
  });
  if (!created) return Failure(std::move(created).error());
  first_key = FirstKey{.account_id = created->account.id.ToString(),
                       .key_id = created->key.record.id.ToString(),
                       .raw_key = std::move(created->key.raw_key)};
  return created->account.id;
}

Status Node::Parts::MakeApi(const key::AccountId& first_account) {
  api::Options api_options{.first_account = first_account,
                           .routes = options.routes,
                           .trusted_proxies = options.trusted_proxies,
                           .trusts_unix_peers = options.trusts_unix_peers,
                           .backup_folder = options.data};
  P402_TRY(api::CheckOptions(api_options));
  Services& s = *services;
  api = std::make_unique<api::Api>(api::Parts{.keys = s.keys,
                                              .accounts = s.accounts,
                                              .audit = s.audit,
                                              .authenticator = s.authenticator,
                                              .verifier = s.verifier,
                                              .feed = s.feed,
                                              .store = *store,
                                              .throttle = s.throttle,
                                              .clock = clock,
                                              .ids = s.ids,
                                              .log = log,
                                              .metrics = *metrics},
                                   std::move(api_options));
  authz_only = std::make_unique<api::AuthzOnly>(*api);
  return {};
}

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Node::~Node() {
  Stop(Millis(0));
}

Result<std::unique_ptr<Node>> Node::Open(NodeOptions options, const Clock& clock, Random& random,
                                         Log& log) {
  P402_TRY(key::CheckBrand(options.brand));
  P402_TRY(api::CheckOptions(api::Options{.first_account = {}, .routes = options.routes}));
  auto parts = std::make_unique<Parts>(std::move(options), clock, random, log);
  Parts& p = *parts;
  std::unique_ptr<Node> node(new Node(std::move(parts)));
  P402_TRY(p.OpenStore());
  P402_TRY(const key::AccountId first_account, p.EnsureFirstAccount());
  P402_TRY(p.MakeApi(first_account));
  return node;
}

std::optional<FirstKey> Node::TakeFirstKey() {
  return std::exchange(parts_->first_key, {});
}

Status Node::Listen() {
  Parts& p = *parts_;
  net::ServerOptions server_options;
  server_options.threads = p.options.threads;
  for (const Address& address : p.options.listen) {
    server_options.listeners.push_back({.address = address.text,
                                        .tls = address.is_unix ? std::nullopt : p.options.tls,
                                        .handler = p.api.get()});
  }
  for (const Address& address : p.options.authz_listen) {
    server_options.listeners.push_back({.address = address.text,
                                        .tls = address.is_local() ? std::nullopt : p.options.tls,
                                        .handler = p.authz_only.get()});
  }
  P402_TRY(p.server, net::Server::Start(std::move(server_options), p.clock, p.log, *p.metrics));
  return {};
}

void Node::Load(std::move_only_function<void(Status)> done) {
  Parts& p = *parts_;
  p.services->usage.Start();
  p.services->audit.StartHourlyAnchor(p.anchor_thread);
  p.services->feed.Start(Callback<Status>(p.main_thread, std::move(done)));
}

feed::Progress Node::progress() const {
  return parts_->services->feed.progress();
}

std::vector<std::string> Node::urls() const {
  const Parts& p = *parts_;
  std::vector<std::string> urls;
  const auto bound = p.server->addresses();
  for (size_t i = 0; i < bound.size(); ++i) {
    const bool is_authz = i >= p.options.listen.size();
    const Address& address =
        is_authz ? p.options.authz_listen[i - p.options.listen.size()] : p.options.listen[i];
    const bool has_tls = p.options.tls && !(is_authz && address.is_local());
    if (address.is_unix) {
      urls.push_back(address.text);
    } else {
      urls.push_back((has_tls ? "https://" : "http://") + bound[i]);
    }
  }
  return urls;
}

Status Node::ReloadTls() {
  return parts_->server->ReloadTls();
}

// The order: no new requests; marks while the store is open; nothing waits for the feed any more;
// no task of ours starts another store call; the store finishes and completes into executors that
// are still there; then the server's threads end, and after them everything else.
size_t Node::Stop(Millis drain_time) {
  Parts& p = *parts_;
  if (std::exchange(p.is_stopped, true) || !p.services) return 0;
  const size_t cut = p.server ? p.server->Drain(drain_time) : 0;
  const auto flushed = Await<Status>(
      p.main_thread, [&](Callback<Status> done) { p.services->usage.Flush(std::move(done)); });
  if (!flushed) p.log.Error("usage.flush_failed", {{"detail", flushed.error().detail}});
  p.services->feed.Stop();
  p.usage_thread.Close();
  p.anchor_thread.Close();
  p.store.reset();
  p.server.reset();
  return cut;
}

}  // namespace p402::app
