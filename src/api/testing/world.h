#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/api.h"
#include "base/testing/fakes.h"
#include "index/index.h"
#include "limit/throttle.h"
#include "net/server.h"

namespace p402::api::testing {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Ask {
  std::string method = "GET";
  std::string target = "/";
  std::string key = {};  // sent as Authorization: Bearer, if it is not empty
  std::string body = {};
  Headers headers = {};
  std::string content_type = "application/json";  // only sent with a body; empty: none
  std::string peer = "192.0.2.1";
};

struct Answer {
  int status = 0;
  std::string content_type;
  Headers headers;
  std::string body;
  bool is_secret = false;
  bool close = false;
  uint64_t file_bytes = 0;

  // Empty if there is no such header.
  std::string Header(std::string_view name) const;
  bool HasHeader(std::string_view name) const;
  boost::json::value Json() const;
  std::string Text(std::string_view member) const;  // of the JSON object; "" for null
  std::string code() const { return Text("code"); }
};

// What keeps a request's bytes alive, as a connection does.
struct Message {
  explicit Message(const Ask& ask);
  Ask text;
  Headers all;
  std::vector<net::HeaderView> views;
  net::Request request;
};

// A whole server on the store in memory, without sockets and threads. Everything runs when Run() is
// called; Send() calls it.
class World {
 public:
  struct Setup {
    Options options = {};  // first_account is filled
    limit::ThrottleOptions throttle = {};
    bool starts = true;  // false: the feed has not begun to load
    // What a backup holds; nullopt: the store has no backup, as the one in memory.
    std::optional<std::string> backup = {};
  };
  World();
  explicit World(Setup setup);
  ~World();

  // Asks and waits for the answer.
  Answer Send(const Ask& ask, net::Handler* handler = nullptr);
  // Asks, and runs `meanwhile` before anything that the request has set off.
  Answer SendAnd(const Ask& ask, const std::function<void()>& meanwhile);
  void Run();
  void StartFeed();

  // The same as the first key, which may everything.
  Answer Post(const std::string& target, const std::string& body);
  Answer Get(const std::string& target);
  Answer Create(const std::string& body) { return Post("/api/v2/keys", body); }

  Api& api();
  feed::Feed& feed();
  index::Index& index();
  p402::testing::FakeClock& clock();
  p402::testing::MemoryLog& log();
  const std::string& root_key() const;
  const key::KeyId& root_id() const;
  const key::AccountId& first_account() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace p402::api::testing
