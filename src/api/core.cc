#include "api/core.h"

#include <fmt/format.h>

#include "api/routes.h"

namespace p402::api {
namespace {

std::map<std::string, AuthzRoute, std::less<>> WithDefaults(const Options& options) {
  auto routes = options.routes;
  routes.try_emplace("default");
  for (auto& [name, route] : routes) {
    if (!route.account) route.account = options.first_account;
  }
  return routes;
}

std::string RouteLabel(const Route* route) {
  return route == nullptr ? "none" : fmt::format("{} {}", route->method, route->pattern);
}

uint64_t RandomBits(Uuid7Generator& ids) {
  const Uuid uuid = ids.Next();
  uint64_t bits = 0;
  for (size_t i = 8; i < uuid.size(); ++i) bits = bits << 8 | uuid[i];
  return bits;
}

}  // namespace

Core::Core(Parts parts, Options options)
    : parts_(parts),
      options_(std::move(options)),
      routes_(WithDefaults(options_)),
      client_address_(options_.trusted_proxies, options_.trusts_unix_peers),
      request_ids_(RandomBits(parts_.ids)) {
  std::vector<const Route*> routes = {nullptr};
  for (const Route& route : Routes()) routes.push_back(&route);
  for (const Route* route : routes) {
    auto& counters = answers_.emplace_back();
    for (size_t digit = 0; digit < kClasses; ++digit) {
      counters[digit] = &parts_.metrics.counter(
          "p402_http_answers_total", "Answers by route and class of status.",
          {{"route", RouteLabel(route)}, {"class", fmt::format("{}xx", digit)}});
    }
  }
  for (size_t endpoint = 0; endpoint < decisions_.size(); ++endpoint) {
    for (size_t decision = 0; decision < kDecisions; ++decision) {
      const auto name = key::DecisionName(static_cast<key::Decision>(decision));
      decisions_[endpoint][decision] = &parts_.metrics.counter(
          "p402_verifications_total", "Decisions about presented keys.",
          {{"endpoint", endpoint == 0 ? "verify" : "authz"}, {"code", std::string(name)}});
    }
  }
}

std::string Core::NewRequestId() {
  return NewRequestId(parts_.clock.Now()).ToString();
}

RequestId Core::NewRequestId(WallTime now) {
  return request_ids_.Next(now);
}

bool Core::is_ready() const {
  return parts_.feed.is_current();
}

Problem Core::Refused(Problem problem, const std::optional<key::IpAddress>& ip,
                      std::string_view request_id) {
  // Whoever has no known address shares one bucket: only failures are ever slowed.
  const key::IpAddress source = ip.value_or(key::IpAddress{});
  const Millis wait = parts_.throttle.OnFailure(source, parts_.clock.Boot());
  if (wait > Millis(0)) {
    Problem slow = ProblemOf("too_many_requests", 429);
    slow.retry_after = std::chrono::ceil<std::chrono::seconds>(wait);
    return slow;
  }
  parts_.log.Info("auth.failed", {{"code", problem.code},
                                  {"ip", ip ? ip->ToString() : "unknown"},
                                  {"request_id", request_id}});
  return problem;
}

void Core::LogFailure(const Error& error, int status, std::string_view request_id) {
  constexpr int64_t kSpacingNs = 1'000'000'000;
  const int64_t now = parts_.clock.Boot().time_since_epoch().count();
  int64_t last = last_logged_ns_.load();
  const bool is_due = last == 0 || now - last >= kSpacingNs;
  if (!is_due || !last_logged_ns_.compare_exchange_strong(last, now)) {
    unlogged_.fetch_add(1);
    return;
  }
  parts_.log.Error("request.failed", {{"status", status},
                                      {"reason", error.reason},
                                      {"detail", error.detail},
                                      {"request_id", request_id},
                                      {"unlogged", unlogged_.exchange(0)}});
}

void Core::CountAnswer(const Route* route, int status) {
  const auto digit = static_cast<size_t>(status / 100);
  const size_t row = route == nullptr ? 0 : static_cast<size_t>(route - Routes().data()) + 1;
  if (digit < kClasses) answers_.at(row)[digit]->Add();
}

void Core::CountDecision(Endpoint endpoint, key::Decision decision) {
  decisions_.at(static_cast<size_t>(endpoint)).at(static_cast<size_t>(decision))->Add();
}

void AddCommonHeaders(net::Response& response, std::string_view request_id) {
  response.headers.reserve(response.headers.size() + 4);
  response.headers.emplace_back("X-Request-Id", request_id);
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
}

net::Response JsonResponse(int status, std::string body) {
  net::Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

net::Response ProblemResponse(const Problem& problem, std::string_view request_id) {
  net::Response response = JsonResponse(problem.status, ProblemJson(problem, request_id));
  response.content_type = "application/problem+json";
  if (!problem.www_authenticate.empty()) {
    response.headers.emplace_back("WWW-Authenticate", problem.www_authenticate);
  }
  if (problem.retry_after) {
    response.headers.emplace_back("Retry-After", std::to_string(problem.retry_after->count()));
  }
  return response;
}

void Send(Call call, net::Response response) {
  AddCommonHeaders(response, call.request_id);
  call.core.CountAnswer(&call.route, response.status);
  std::move(call.responder).Send(std::move(response));
}

void SendProblem(Call call, const Problem& problem) {
  net::Response response = ProblemResponse(problem, call.request_id);
  Send(std::move(call), std::move(response));
}

void SendError(Call call, const Error& error) {
  Problem problem = ProblemOf(error);
  const bool is_lapsed = error.code == ErrorCode::kUnavailable && !call.core.is_ready();
  if (is_lapsed) problem.code = "not_ready";
  if (problem.status >= 500) call.core.LogFailure(error, problem.status, call.request_id);
  SendProblem(std::move(call), problem);
}

void SendRead(Call call, net::Response response) {
  auto& authenticator = call.core.parts().authenticator;
  const Status still = authenticator.Recheck(call.caller, call.route.scope);
  if (!still) return SendError(std::move(call), still.error());
  Send(std::move(call), std::move(response));
}

}  // namespace p402::api
