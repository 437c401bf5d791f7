#pragma once

#include <array>
#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/api.h"
#include "api/client_address.h"
#include "api/json_in.h"
#include "api/json_out.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/request_ids.h"
#include "service/caller.h"

namespace p402::api {

struct Route;
class Core;

// One request on its way through a handler.
struct Call {
  Core& core;
  const Route& route;
  net::Responder responder;
  std::string request_id;
  service::Caller caller = {};  // without a record on public routes
  Query query = {};
  JsonBody body = {};
  std::string parameter = {};  // what stands for {id}
};

// What the handlers share.
// Threads: safe to call concurrently.
class Core {
 public:
  Core(Parts parts, Options options);

  const Parts& parts() const { return parts_; }
  const Options& options() const { return options_; }
  // The routes of /authz, each with an account.
  const std::map<std::string, AuthzRoute, std::less<>>& authz_routes() const { return routes_; }
  const ClientAddress& client_address() const { return client_address_; }

  std::string NewRequestId();
  RequestId NewRequestId(WallTime now);  // of a request that came at `now`
  bool is_ready() const;

  // A failed authentication (S4): the problem itself, or 429 when its source has to wait.
  Problem Refused(Problem problem, const std::optional<key::IpAddress>& ip,
                  std::string_view request_id);
  // Logs what a client is not told. A flood is one line per second.
  void LogFailure(const Error& error, int status, std::string_view request_id);
  void CountAnswer(const Route* route, int status);
  enum class Endpoint : uint8_t { kVerify, kAuthz };
  void CountDecision(Endpoint endpoint, key::Decision decision);

  // At most one backup is written at a time.
  bool TryStartBackup() { return !is_backing_up_.exchange(true); }
  void EndBackup() { is_backing_up_ = false; }

 private:
  static constexpr size_t kClasses = 6;    // by the first digit of the status
  static constexpr size_t kDecisions = 9;  // of key::Decision

  Parts parts_;
  Options options_;
  std::map<std::string, AuthzRoute, std::less<>> routes_;
  ClientAddress client_address_;
  RequestIds request_ids_;
  std::vector<std::array<Counter*, kClasses>> answers_;  // no route, then those of Routes()
  std::array<std::array<Counter*, kDecisions>, 2> decisions_{};
  std::atomic<bool> is_backing_up_ = false;
  std::atomic<int64_t> last_logged_ns_ = 0;
  std::atomic<uint64_t> unlogged_ = 0;
};

// Adds what every answer carries: the request id, no-store, nosniff, no-referrer.
void AddCommonHeaders(net::Response& response, std::string_view request_id);
net::Response JsonResponse(int status, std::string body);
net::Response ProblemResponse(const Problem& problem, std::string_view request_id);

void Send(Call call, net::Response response);
void SendProblem(Call call, const Problem& problem);
void SendError(Call call, const Error& error);
// R2: asks again whether the caller may read this, then answers 200.
void SendRead(Call call, net::Response response);

// A completion that answers errors itself and gives `on_value` the call and the value.
template <class T, class OnValue>
Callback<Result<T>> Completion(Call call, OnValue on_value) {
  Executor& executor = call.responder.executor();
  return Callback<Result<T>>(
      executor, [call = std::move(call), on_value = std::move(on_value)](Result<T> result) mutable {
        if (!result) return SendError(std::move(call), result.error());
        on_value(std::move(call), *std::move(result));
      });
}

}  // namespace p402::api
