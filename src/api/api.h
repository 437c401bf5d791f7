#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/typeid.h"
#include "feed/feed.h"
#include "key/cidr.h"
#include "key/ids.h"
#include "key/raw_key.h"
#include "limit/throttle.h"
#include "net/server.h"
#include "service/accounts.h"
#include "service/audit.h"
#include "service/authenticator.h"
#include "service/keys.h"
#include "service/verifier.h"
#include "store/store.h"

namespace p402::api {

// What /authz/<route> asks of a presented key (V2).
struct AuthzRoute {
  std::vector<std::string> scopes = {};              // all of them are needed
  std::optional<key::AccountId> account = {};        // nullopt: the first account
  std::optional<key::Mode> mode = key::Mode::kLive;  // nullopt: either
  // 401 or 403: every refusal is sent with this status, the true one in X-Auth-Status (nginx turns
  // every other status into 500). nullopt: the true status.
  std::optional<int> deny_status = {};
};

struct Options {
  // The account that a route without an account means, and the only one whose keys may read the
  // metrics or take a backup.
  key::AccountId first_account = {};
  // By name, [a-z0-9_-]{1,64}. "default" is there in any case: a valid live key, no scope.
  std::map<std::string, AuthzRoute, std::less<>> routes = {};
  // Only these peers are believed when they send X-Forwarded-For (S4).
  std::vector<key::Cidr> trusted_proxies = {};
  bool trusts_unix_peers = false;  // the same for the peers of a Unix socket
  // Where a backup lies while it is sent; unlinked at once. On the store's file system, private.
  std::filesystem::path backup_folder = {};
};

// Errors: kInvalidArgument (field: the route): a bad name, scope or deny_status.
Status CheckOptions(const Options& options);

struct Parts {
  service::Keys& keys;
  service::Accounts& accounts;
  service::Audit& audit;
  service::Authenticator& authenticator;
  service::Verifier& verifier;
  feed::Feed& feed;
  store::Store& store;
  limit::Throttle& throttle;
  const Clock& clock;
  Uuid7Generator& ids;
  Log& log;
  Metrics& metrics;
};

// The whole HTTP interface: every endpoint of routes.cc, and /authz.
// Threads:  safe to call concurrently; never blocks.
// Lifetime: everything in `parts` outlives it, and it outlives the server and every completion that
//           is still under way on the server's executors.
// Requires: CheckOptions(options).
class Api final : public net::Handler {
 public:
  Api(Parts parts, Options options);
  ~Api() override;
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  net::BodyPolicy OnHead(const net::Request& head) override;
  // All of /authz, and the usual verification.
  std::optional<net::DirectAnswer> AnswerDirectly(const net::Request& request,
                                                  std::string& scratch) override;
  void OnRequest(const net::Request& request, net::Responder responder) override;
  net::Response OnRefused(net::Refusal refusal, std::string_view detail) override;

 private:
  friend class AuthzOnly;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The handler of a listener that serves nothing but /authz/…, /livez and /readyz.
// Lifetime: `api` outlives it.
class AuthzOnly final : public net::Handler {
 public:
  explicit AuthzOnly(Api& api) : api_(api) {}

  net::BodyPolicy OnHead(const net::Request& head) override;
  std::optional<net::DirectAnswer> AnswerDirectly(const net::Request& request,
                                                  std::string& scratch) override;
  void OnRequest(const net::Request& request, net::Responder responder) override;
  net::Response OnRefused(net::Refusal refusal, std::string_view detail) override;

 private:
  Api& api_;
};

// docs/openapi.yaml as it was when the program was built (A9).
std::string_view OpenApiText();

}  // namespace p402::api
