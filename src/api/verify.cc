#include <algorithm>

#include "api/bearer.h"
#include "api/core.h"
#include "api/direct.h"
#include "api/handlers.h"
#include "api/routes.h"
#include "key/scope.h"

namespace p402::api {
namespace {

// What V1 asks, as it was written. Lifetime: the body's.
struct VerifyRequest {
  std::string_view presented;
  key::ScopeSet scopes = {};
  std::optional<key::Mode> mode = {};
  std::optional<key::IpAddress> ip = {};
};

Result<VerifyRequest> ReadVerify(const JsonBody& body, const service::Caller& caller) {
  VerifyRequest verify;
  P402_TRY(verify.presented, body.RequiredText("key"));
  P402_TRY(const auto scopes, body.Texts("scopes"));
  if (scopes) {
    P402_TRY(verify.scopes, key::ScopeSet::Parse(*scopes));
  }
  P402_TRY(const auto ip, body.Text("ip"));
  if (ip) {
    verify.ip = key::IpAddress::Parse(*ip);
    if (!verify.ip) return InvalidArgument("ip", "\"ip\" must be an IPv4 or IPv6 address.");
  }
  P402_TRY(const auto mode, body.Text("mode"));
  if (mode) {
    verify.mode = key::ParseMode(*mode);
    if (!verify.mode) return InvalidArgument("mode", "\"mode\" must be live or test.");
  }
  // A2: a test key sees only test keys.
  if (caller.record->mode == key::Mode::kTest) verify.mode = key::Mode::kTest;
  return verify;
}

// What stands between the quotes of {"key":"…"}, escapes and all; nullopt for every other body,
// well-formed or not.
std::optional<std::string_view> OnlyKey(std::string_view body) {
  const auto skip_blanks = [&] {
    while (!body.empty() && (body.front() == ' ' || body.front() == '\t' || body.front() == '\r' ||
                             body.front() == '\n')) {
      body.remove_prefix(1);
    }
  };
  const auto take = [&](std::string_view token) {
    skip_blanks();
    if (!body.starts_with(token)) return false;
    body.remove_prefix(token.size());
    return true;
  };
  if (!take("{") || !take(R"("key")") || !take(":") || !take("\"")) return std::nullopt;
  const std::string_view text = body.substr(0, body.find('"'));
  body.remove_prefix(text.size());
  if (!take("\"") || !take("}")) return std::nullopt;
  skip_blanks();
  return body.empty() ? std::optional(text) : std::nullopt;
}

// True if JSON would take the text as it is, byte by byte.
bool IsPlain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~' && c != '\\'; });
}

}  // namespace

std::optional<net::DirectAnswer> AnswerVerifyDirectly(Core& core, const Route& route,
                                                      const net::Request& request,
                                                      std::string& scratch) {
  const Parts& parts = core.parts();
  const auto token = OnlyKey(request.body);
  if (!token || !request.query.empty() || !CheckContentType(request, false)) return std::nullopt;
  const auto presented = ReadPresented(request, ApiKeyHeader::kIgnored);
  if (!presented || !presented->is_present) return std::nullopt;
  const WallTime now = parts.clock.Now();
  const auto caller = parts.authenticator.AuthenticateView(presented->token, std::nullopt, now);
  if (!caller || caller->decision != key::Decision::kValid) return std::nullopt;
  if (!caller->key.Covers(route.scope)) return std::nullopt;
  key::Question question{.account = caller->key.account()};
  if (caller->key.mode() == key::Mode::kTest) question.mode = key::Mode::kTest;  // A2
  const auto answer = parts.verifier.Verify(*token, question, now);
  if (!answer || !caller->key.is_newest()) return std::nullopt;  // R2
  if (answer->decision == key::Decision::kMalformed && !IsPlain(*token)) return std::nullopt;
  core.CountDecision(Core::Endpoint::kVerify, answer->decision);
  core.CountAnswer(&route, 200);
  if (answer->key) answer->key.PrefetchFacts();
  DirectWriter writer(core, now, scratch);
  writer.Reserve(DecisionJsonBound(answer->key));
  writer.BeginBody();
  WriteDecisionJson(writer.pen(), answer->decision, answer->key);
  return writer.Finish(200);
}

void VerifyKey(Call call, const net::Request&) {
  const auto verify = ReadVerify(call.body, call.caller);
  if (!verify) return SendError(std::move(call), verify.error());
  const key::Question question{.account = call.caller.record->account,
                               .mode = verify->mode,
                               .scopes = verify->scopes.values(),
                               .ip = verify->ip};
  const auto answer = call.core.parts().verifier.Verify(verify->presented, question);
  if (!answer) return SendError(std::move(call), answer.error());
  call.core.CountDecision(Core::Endpoint::kVerify, answer->decision);
  std::string body(DecisionJsonBound(answer->key), '\0');
  Pen pen(body);
  WriteDecisionJson(pen, answer->decision, answer->key);
  body.resize(pen.size());
  SendRead(std::move(call), JsonResponse(200, std::move(body)));
}

}  // namespace p402::api
