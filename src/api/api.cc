#include "api/api.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/authz.h"
#include "api/bearer.h"
#include "api/core.h"
#include "api/routes.h"
#include "key/scope.h"
#include "service/permissions.h"

namespace p402::api {
namespace {

bool IsRouteName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

Problem RefusedBy(Core& core, const Call& call, const Error& error) {
  const Problem problem = ProblemOf(error);
  if (problem.status != 401) {
    if (problem.status >= 500) core.LogFailure(error, problem.status, call.request_id);
    return problem;
  }
  return core.Refused(problem, call.caller.ip, call.request_id);
}

// Fills call.caller.
std::optional<Problem> Authenticate(Call& call, const net::Request& request) {
  auto& authenticator = call.core.parts().authenticator;
  call.caller.ip = call.core.client_address().Of(request);
  if (!call.core.is_ready()) return ProblemOf("not_ready", 503);
  const auto presented = ReadPresented(request, ApiKeyHeader::kIgnored);
  if (!presented) return ProblemOf(presented.error());
  if (!presented->is_present) return NoCredentials();
  const auto ip = call.caller.ip;
  auto caller = authenticator.Authenticate(presented->token, ip, call.request_id);
  // R2: a revoked key may still repeat the DELETE of itself, and nothing else.
  if (!caller && caller.error().reason == "revoked" && call.route.access == Access::kKeyItself) {
    auto revoked = authenticator.AuthenticateForSelfRevoke(presented->token, ip, call.request_id);
    if (revoked && revoked->record->id.ToString() == call.parameter) caller = std::move(revoked);
  }
  if (!caller) return RefusedBy(call.core, call, caller.error());
  call.caller = *std::move(caller);
  return std::nullopt;
}

std::optional<Problem> Authorize(const Call& call) {
  const Route& route = call.route;
  const key::Record& record = *call.caller.record;
  if (route.access == Access::kKeyItself && record.id.ToString() == call.parameter) {
    return std::nullopt;
  }
  Status allowed;
  if (route.access == Access::kFirstAccount) {
    const bool is_first = record.account == call.core.options().first_account;
    allowed = service::RequireFirstAccountScope(record, route.scope, is_first);
  } else if (!route.scope.empty()) {
    allowed = service::RequireScope(call.caller, route.scope);
  }
  if (!allowed) return ProblemOf(allowed.error());
  return std::nullopt;
}

// Fills call.query and call.body.
std::optional<Problem> ReadInput(Call& call, const net::Request& request) {
  const Route& route = call.route;
  auto query = Query::Parse(request.query, route.query);
  if (!query) return ProblemOf(query.error());
  call.query = *std::move(query);
  if (request.body.empty()) {
    if (route.body != Body::kRequired) return std::nullopt;
    return ProblemOf(InvalidArgument({}, "This needs a JSON object as its body.").error());
  }
  if (route.body == Body::kNone) {
    return ProblemOf(InvalidArgument({}, "This takes no body.").error());
  }
  const Status content_type = CheckContentType(request, route.method == "PATCH");
  if (!content_type) return ProblemOf(content_type.error());
  auto body = JsonBody::Parse(request.body);
  if (!body) return ProblemOf(body.error());
  const Status known = body->AllowOnly(route.fields);
  if (!known) return ProblemOf(known.error());
  call.body = *std::move(body);
  return std::nullopt;
}

// The order of contract B: who, whether they may, then what they sent.
std::optional<Problem> Prepare(Call& call, const net::Request& request) {
  if (call.route.access != Access::kPublic) {
    if (auto problem = Authenticate(call, request)) return problem;
    if (auto problem = Authorize(call)) return problem;
  }
  return ReadInput(call, request);
}

void AnswerNoRoute(Core& core, const Match& match, net::Responder responder) {
  const std::string request_id = core.NewRequestId();
  const Problem problem =
      match.allow.empty() ? ProblemOf("not_found", 404) : ProblemOf("method_not_allowed", 405);
  net::Response response = ProblemResponse(problem, request_id);
  if (!match.allow.empty()) response.headers.emplace_back("Allow", match.allow);
  AddCommonHeaders(response, request_id);
  core.CountAnswer(nullptr, response.status);
  std::move(responder).Send(std::move(response));
}

void AnswerRoute(Core& core, const Match& match, const net::Request& request,
                 net::Responder responder) {
  Call call{.core = core,
            .route = *match.route,
            .responder = std::move(responder),
            .request_id = core.NewRequestId(),
            .parameter = std::string(match.parameter)};
  if (const auto problem = Prepare(call, request)) return SendProblem(std::move(call), *problem);
  match.route->handle(std::move(call), request);
}

}  // namespace

Status CheckOptions(const Options& options) {
  for (const auto& [name, route] : options.routes) {
    if (!IsRouteName(name)) {
      return InvalidArgument(
          name, "A route's name is 1 to 64 lower-case letters, digits, \"-\" and \"_\".");
    }
    const auto scopes = key::ScopeSet::Parse(route.scopes);
    if (!scopes) return InvalidArgument(name, "scopes: " + scopes.error().public_message);
    const int deny_status = route.deny_status.value_or(401);
    if (deny_status != 401 && deny_status != 403) {
      return InvalidArgument(name, "deny_status must be 401 or 403.");
    }
  }
  return {};
}

class Api::Impl : public Core {
 public:
  using Core::Core;
};

Api::Api(Parts parts, Options options) : impl_(std::make_unique<Impl>(parts, std::move(options))) {}
Api::~Api() = default;

net::BodyPolicy Api::OnHead(const net::Request& head) {
  // Proxies announce bodies that they never send.
  return IsAuthzPath(head.path) ? net::BodyPolicy::kIgnore : net::BodyPolicy::kRead;
}

std::optional<net::DirectAnswer> Api::AnswerDirectly(const net::Request& request,
                                                     std::string& scratch) {
  if (IsAuthzPath(request.path)) return AnswerAuthz(*impl_, request, scratch);
  const Match match = FindRoute(request.method, request.path);
  if (match.route == nullptr || match.route->answer_directly == nullptr) return std::nullopt;
  return match.route->answer_directly(*impl_, *match.route, request, scratch);
}

void Api::OnRequest(const net::Request& request, net::Responder responder) {
  const Match match = FindRoute(request.method, request.path);
  if (match.route == nullptr) return AnswerNoRoute(*impl_, match, std::move(responder));
  AnswerRoute(*impl_, match, request, std::move(responder));
}

net::Response Api::OnRefused(net::Refusal refusal, std::string_view detail) {
  const std::string request_id = impl_->NewRequestId();
  net::Response response = ProblemResponse(ProblemOf(refusal, detail), request_id);
  AddCommonHeaders(response, request_id);
  impl_->CountAnswer(nullptr, response.status);
  response.close = true;
  return response;
}

net::BodyPolicy AuthzOnly::OnHead(const net::Request&) {
  return net::BodyPolicy::kIgnore;
}

std::optional<net::DirectAnswer> AuthzOnly::AnswerDirectly(const net::Request& request,
                                                           std::string& scratch) {
  return IsAuthzPath(request.path) ? api_.AnswerDirectly(request, scratch) : std::nullopt;
}

void AuthzOnly::OnRequest(const net::Request& request, net::Responder responder) {
  const bool is_health = request.path == "/livez" || request.path == "/readyz";
  if (is_health) return api_.OnRequest(request, std::move(responder));
  AnswerNoRoute(*api_.impl_, Match{}, std::move(responder));
}

net::Response AuthzOnly::OnRefused(net::Refusal refusal, std::string_view detail) {
  return api_.OnRefused(refusal, detail);
}

}  // namespace p402::api
