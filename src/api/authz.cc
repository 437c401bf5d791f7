#include "api/authz.h"

#include <fmt/format.h>

#include "api/bearer.h"
#include "api/direct.h"
#include "base/text.h"

namespace p402::api {
namespace {

constexpr std::string_view kRoot = "/authz";

// A question that is refused.
struct Asked {
  const AuthzRoute& route;
  const net::Request& request;
  std::string request_id;
};

std::string_view RouteName(std::string_view path) {
  if (path.size() <= kRoot.size() + 1) return {};
  path.remove_prefix(kRoot.size() + 1);
  return path.substr(0, path.find('/'));
}

// Always a value: Caddy passes the name of a missing header on as text.
void WriteHeaderText(Pen& pen, std::string_view text) {
  if (text.empty()) return pen.Character('-');
  if (text == "-") return pen.Text("%2D");
  WritePercentEncoded(pen, text);
}

net::DirectAnswer Allowed(Core& core, const index::View& key, WallTime now, std::string& scratch) {
  constexpr size_t kFixed = 512;  // names of headers, ids, mode, body
  key.PrefetchFacts();
  DirectWriter answer(core, now, scratch);
  const index::Facts facts = key.facts();
  const std::string_view scopes = key.scopes();
  const size_t bound =
      kFixed + PercentEncodedBound(facts.name) + PercentEncodedBound(facts.owner) + scopes.size();
  answer.Reserve(bound);
  Pen& pen = answer.pen();
  pen.Text("X-Auth-Key-Id: ");
  key.id().WriteTo(pen);
  pen.Text("\r\nX-Auth-Name: ");
  WriteHeaderText(pen, facts.name);
  pen.Text("\r\nX-Auth-Account: ");
  key.account().WriteTo(pen);
  pen.Text("\r\nX-Auth-Mode: ");
  pen.Text(key::ModeName(key.mode()));
  pen.Text("\r\nX-Auth-Scopes: ");
  pen.Text(scopes.empty() ? "-" : scopes);
  pen.Text("\r\nX-Auth-Owner: ");
  WriteHeaderText(pen, facts.owner);
  pen.Text("\r\n");
  answer.BeginBody();
  pen.Text(R"({"valid":true,"key_id":")");
  key.id().WriteTo(pen);
  pen.Text(R"("})");
  return answer.Finish(200);
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
  const auto ip = core.client_address().Of(asked.request);
  return Denied(asked, core.Refused(problem, ip, asked.request_id));
}

// The client's address costs more to find than the key: it is looked for only if it decides.
Result<index::Answer> Decide(Core& core, const AuthzRoute& route, const net::Request& request,
                             std::string_view token, WallTime now) {
  auto& verifier = core.parts().verifier;
  key::Question question{.account = route.account, .mode = route.mode, .scopes = route.scopes};
  auto answer = verifier.Verify(token, question, now);
  if (!answer || answer->decision != key::Decision::kIpNotAllowed) return answer;
  question.ip = core.client_address().Of(request);
  return verifier.Verify(token, question, now);
}

net::DirectAnswer Answer(Core& core, const AuthzRoute& route, const net::Request& request,
                         std::string& scratch) {
  const auto deny = [&](auto make_response) {
    const Asked asked{route, request, core.NewRequestId()};
    net::Response response = make_response(asked);
    AddCommonHeaders(response, asked.request_id);
    return DirectAnswerOf(response, scratch);
  };
  const auto deny_for = [&](const Problem& problem) {
    return deny([&](const Asked& asked) { return Denied(asked, problem); });
  };
  if (!core.is_ready()) return deny_for(ProblemOf("not_ready", 503));
  const auto presented = ReadPresented(request, ApiKeyHeader::kAccepted);
  if (!presented) return deny_for(ProblemOf(presented.error()));
  if (!presented->is_present) return deny_for(NoCredentials());
  const WallTime now = core.parts().clock.Now();
  const auto answer = Decide(core, route, request, presented->token, now);
  if (!answer) {
    return deny([&](const Asked& asked) {
      core.LogFailure(answer.error(), 503, asked.request_id);
      return Denied(asked, ProblemOf("not_ready", 503));
    });
  }
  core.CountDecision(Core::Endpoint::kAuthz, answer->decision);
  if (answer->decision != key::Decision::kValid || !answer->key) {
    return deny([&](const Asked& asked) { return Refused(core, asked, answer->decision); });
  }
  return Allowed(core, answer->key, now, scratch);
}

}  // namespace

bool IsAuthzPath(std::string_view path) {
  return path.starts_with(kRoot) && (path.size() == kRoot.size() || path[kRoot.size()] == '/');
}

net::DirectAnswer AnswerAuthz(Core& core, const net::Request& request, std::string& scratch) {
  const auto& routes = core.authz_routes();
  const auto route = routes.find(RouteName(request.path));
  if (route != routes.end()) return Answer(core, route->second, request, scratch);
  const std::string request_id = core.NewRequestId();
  net::Response response = ProblemResponse(ProblemOf("not_found", 404), request_id);
  AddCommonHeaders(response, request_id);
  return DirectAnswerOf(response, scratch);
}

}  // namespace p402::api
