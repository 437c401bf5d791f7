#include "app/node.h"

#include "api/api.h"
#include "limit/throttle.h"
#include "service/engine.h"

namespace p402::app {

// Members are destroyed from the bottom up. Stop() takes `engine` and `server` apart before, in the
// order that their completions need.
struct Node::Parts {
  Parts(NodeOptions node_options, const Clock& node_clock, Log& node_log)
      : options(std::move(node_options)), clock(node_clock), log(node_log) {}

  NodeOptions options;
  const Clock& clock;
  Log& log;
  std::unique_ptr<service::Engine> engine = {};
  limit::Throttle throttle{limit::ThrottleOptions{}};
  std::optional<FirstKey> first_key = {};
  std::unique_ptr<api::Api> api = {};
  std::unique_ptr<api::AuthzOnly> authz_only = {};
  std::unique_ptr<net::Server> server = {};
  bool is_stopped = false;

  Result<key::AccountId> EnsureFirstAccount();
  Status MakeApi(const key::AccountId& first_account);
  net::ServerOptions ListenOptions() const;
};

Result<key::AccountId> Node::Parts::EnsureFirstAccount() {
  P402_TRY(const auto present, engine->FindFirstAccount());
  if (present) return *present;
  P402_TRY(auto created, engine->MakeFirstAccount(options.first_account_name));
  first_key = FirstKey{.account_id = created.account.id.ToString(),
                       .key_id = created.key.record.id.ToString(),
                       .raw_key = std::move(created.key.raw_key)};
  return created.account.id;
}

Status Node::Parts::MakeApi(const key::AccountId& first_account) {
  api::Options api_options{.first_account = first_account,
                           .routes = options.routes,
                           .trusted_proxies = options.trusted_proxies,
                           .trusts_unix_peers = options.trusts_unix_peers,
                           .backup_folder = options.data};
  P402_TRY(api::CheckOptions(api_options));
  api = std::make_unique<api::Api>(api::Parts{.keys = engine->keys(),
                                              .accounts = engine->accounts(),
                                              .audit = engine->audit(),
                                              .authenticator = engine->authenticator(),
                                              .verifier = engine->verifier(),
                                              .feed = engine->feed(),
                                              .store = engine->store(),
                                              .throttle = throttle,
                                              .clock = clock,
                                              .ids = engine->ids(),
                                              .log = log,
                                              .metrics = engine->metrics()},
                                   std::move(api_options));
  authz_only = std::make_unique<api::AuthzOnly>(*api);
  return {};
}

net::ServerOptions Node::Parts::ListenOptions() const {
  net::ServerOptions server_options;
  server_options.threads = options.threads;
  for (const Address& address : options.listen) {
    server_options.listeners.push_back(
        {.address = address.text, .tls = address.is_unix ? std::nullopt : options.tls});
  }
  for (const Address& address : options.authz_listen) {
    server_options.listeners.push_back(
        {.address = address.text, .tls = address.is_local() ? std::nullopt : options.tls});
  }
  return server_options;
}

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Node::~Node() {
  Stop(Millis(0));
}

Result<std::unique_ptr<Node>> Node::Open(NodeOptions options, const Clock& clock, Random& random,
                                         Log& log) {
  P402_TRY(api::CheckOptions(api::Options{.first_account = {}, .routes = options.routes}));
  auto parts = std::make_unique<Parts>(std::move(options), clock, log);
  Parts& p = *parts;
  std::unique_ptr<Node> node(new Node(std::move(parts)));
  P402_TRY(p.engine, service::Engine::Open({.folder = p.options.data,
                                            .brand = p.options.brand,
                                            .marks_use = p.options.marks_use},
                                           clock, random, log));
  return node;
}

Status Node::MakeFirstKey() {
  P402_TRY(parts_->EnsureFirstAccount());
  return {};
}

std::optional<FirstKey> Node::TakeFirstKey() {
  return std::exchange(parts_->first_key, {});
}

Status Node::Listen() {
  Parts& p = *parts_;
  P402_TRY(auto server, net::Server::Bind(p.ListenOptions(), p.clock, p.log, p.engine->metrics()));
  P402_TRY(const key::AccountId first_account, p.EnsureFirstAccount());
  P402_TRY(p.MakeApi(first_account));
  std::vector<net::Handler*> handlers(p.options.listen.size(), p.api.get());
  handlers.resize(handlers.size() + p.options.authz_listen.size(), p.authz_only.get());
  P402_TRY(server->Serve(handlers));
  p.server = std::move(server);
  return {};
}

void Node::Load(std::move_only_function<void(Status)> done) {
  parts_->engine->Load(std::move(done));
}

feed::Progress Node::progress() const {
  return parts_->engine->feed().progress();
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

// The order: no new requests; then the engine, whose store completes into the server's threads; at
// last these threads.
size_t Node::Stop(Millis drain_time) {
  Parts& p = *parts_;
  if (std::exchange(p.is_stopped, true) || !p.engine) return 0;
  const size_t cut = p.server ? p.server->Drain(drain_time) : 0;
  // Why marks could not be written is in the log.
  [[maybe_unused]] const Status stopped = p.engine->Stop();
  p.server.reset();
  return cut;
}

}  // namespace p402::app
