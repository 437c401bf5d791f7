#include "api/core.h"
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

}  // namespace

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
  std::optional<key::Record> record;
  if (answer->key) record = answer->key.Materialize();
  SendRead(std::move(call),
           JsonResponse(200, DecisionJson(answer->decision, record ? &*record : nullptr)));
}

}  // namespace p402::api
