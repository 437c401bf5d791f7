#include "api/authz.h"

#include <fmt/format.h>

#include "api/bearer.h"
#include "base/text.h"

namespace p402::api {
namespace {

constexpr std::string_view kRoot = "/authz";

// Everything about one question but the key.
struct Asked {
  const AuthzRoute& route;
  std::optional<key::IpAddress> ip;
  std::string request_id;
};

std::string_view RouteName(std::string_view path) {
  if (path.size() <= kRoot.size() + 1) return {};
  path.remove_prefix(kRoot.size() + 1);
  return path.substr(0, path.find('/'));
}

// Always a value: Caddy passes the name of a missing header on as text.
std::string HeaderText(std::string_view text) {
  if (text.empty()) return "-";
  if (text == "-") return "%2D";
  return PercentEncode(text);
}

net::Response Allowed(const key::Record& record) {
  std::string id = record.id.ToString();
  std::string body;
  ObjectWriter object(body);
  object.Bool("valid", true);
  object.Text("key_id", id);
  object.End();
  net::Response response = JsonResponse(200, std::move(body));
  auto& headers = response.headers;
  headers.reserve(10);
  headers.emplace_back("X-Auth-Key-Id", std::move(id));
  headers.emplace_back("X-Auth-Name", HeaderText(record.name));
  headers.emplace_back("X-Auth-Account", record.account.ToString());
  headers.emplace_back("X-Auth-Mode", key::ModeName(record.mode));
  headers.emplace_back("X-Auth-Scopes", record.scopes.empty() ? "-" : record.scopes.ToString());
  headers.emplace_back("X-Auth-Owner", HeaderText(record.owner));
  return response;
}

net::Response Denied(const Asked& asked, Problem problem) {
  const int true_status = problem.status;
  const bool is_denial = true_status >= 400 && true_status < 500;
  if (is_denial && asked.route.deny_status) problem.status = *asked.route.deny_status;
  if (problem.status == 401 && problem.www_authenticate.empty()) {
    problem.www_authenticate = R"(Bearer realm="p402")";
  }
  net::Response response = ProblemResponse(problem, asked.request_id);
  response.headers.emplace_back("X-Auth-Status", std::to_string(true_status));
  return response;
}

// A valid key that may not do this is no failed authentication: it is never slowed (S4).
bool IsFailedAuthentication(key::Decision decision) {
  return decision != key::Decision::kInsufficientScope && decision != key::Decision::kWrongMode;
}

std::string Joined(const std::vector<std::string>& scopes) {
  return fmt::format("{}", fmt::join(scopes, " "));
}

net::Response Refused(Core& core, const Asked& asked, key::Decision decision) {
  const bool is_failed = IsFailedAuthentication(decision);
  const bool lacks_scope = decision == key::Decision::kInsufficientScope;
  const Problem problem = ProblemOf(
      Error{.code = is_failed ? ErrorCode::kUnauthenticated : ErrorCode::kPermissionDenied,
            .reason = key::DecisionName(decision),
            .field = lacks_scope ? Joined(asked.route.scopes) : ""});
  if (!is_failed) return Denied(asked, problem);
  return Denied(asked, core.Refused(problem, asked.ip, asked.request_id));
}

net::Response Decide(Core& core, const Asked& asked, const net::Request& request) {
  if (!core.is_ready()) return Denied(asked, ProblemOf("not_ready", 503));
  const auto presented = ReadPresented(request, ApiKeyHeader::kAccepted);
  if (!presented) return Denied(asked, ProblemOf(presented.error()));
  if (!presented->is_present) return Denied(asked, NoCredentials());
  const key::Question question{.account = asked.route.account,
                               .mode = asked.route.mode,
                               .scopes = asked.route.scopes,
                               .ip = asked.ip};
  const auto answer = core.parts().verifier.Verify(presented->token, question);
  if (!answer) {
    core.LogFailure(answer.error(), 503, asked.request_id);
    return Denied(asked, ProblemOf("not_ready", 503));
  }
  core.CountDecision(Core::Endpoint::kAuthz, answer->decision);
  if (answer->decision != key::Decision::kValid || !answer->key) {
    return Refused(core, asked, answer->decision);
  }
  return Allowed(answer->key.Materialize());
}

}  // namespace

bool IsAuthzPath(std::string_view path) {
  return path.starts_with(kRoot) && (path.size() == kRoot.size() || path[kRoot.size()] == '/');
}

void AnswerAuthz(Core& core, const net::Request& request, net::Responder responder) {
  std::string request_id = core.NewRequestId();
  const auto& routes = core.authz_routes();
  const auto route = routes.find(RouteName(request.path));
  net::Response response;
  if (route == routes.end()) {
    response = ProblemResponse(ProblemOf("not_found", 404), request_id);
  } else {
    const Asked asked{route->second, core.client_address().Of(request), request_id};
    response = Decide(core, asked, request);
  }
  AddCommonHeaders(response, request_id);
  std::move(responder).Send(std::move(response));
}

}  // namespace p402::api
