#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/api.h"
#include "app/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "feed/feed.h"
#include "net/server.h"

namespace p402::app {

struct NodeOptions {
  std::filesystem::path data = {};
  std::string brand = "p402";
  std::vector<Address> listen = {};
  std::vector<Address> authz_listen = {};  // serves nothing but /authz, /livez and /readyz
  std::optional<net::TlsFiles> tls = {};
  int threads = 1;
  std::map<std::string, api::AuthzRoute, std::less<>> routes = {};
  std::vector<key::Cidr> trusted_proxies = {};
  bool trusts_unix_peers = false;
  bool marks_use = true;  // false: last_used_at stays as it is
  std::string first_account_name = "default";
};

// What the first start on an empty store makes.
struct FirstKey {
  std::string account_id;
  std::string key_id;
  Secret raw_key;  // K4: to be shown once
};

// Everything of one server process, constructed and destroyed in the right order. It has no
// globals: several nodes fit in one process.
//
// Threads:  one thread calls it (Stop may be called from another one, as the last call).
// Lifetime: clock, random and log outlive it.
class Node {
 public:
  // Opens the store.
  // Errors: kLocked, kCorrupt, kConflict, kIo from the store; kInvalidArgument (brand, routes).
  static Result<std::unique_ptr<Node>> Open(NodeOptions options, const Clock& clock, Random& random,
                                            Log& log);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Makes the first account and key if the store is empty. Once.
  Status MakeFirstKey();
  // The key that was made, once; nullopt if the store was not empty, or it was taken.
  std::optional<FirstKey> TakeFirstKey();

  // Binds, and only then MakeFirstKey(): an address that is taken spends no key. Then serves; until
  // the index is loaded only /livez and /readyz say anything useful.
  Status Listen();
  // Loads the index; `done` runs on a thread of the node, at most once.
  void Load(std::move_only_function<void(Status)> done);
  feed::Progress progress() const;

  // The bound addresses with scheme, "http://127.0.0.1:4020" or "unix:/path": first --listen, then
  // --authz-listen.
  // Requires: Listen() succeeded.
  std::vector<std::string> urls() const;
  Status ReloadTls();

  // Drains the server, writes the waiting marks (L1), stops the feed and closes the store. Returns
  // how many connections had to be cut. A second call does nothing.
  size_t Stop(Millis drain_time);

 private:
  struct Parts;
  explicit Node(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace p402::app
