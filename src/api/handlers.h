#pragma once

#include <optional>
#include <string>

#include "net/message.h"

// The handlers of routes.cc, one file per concern. Each answers its call exactly once, at once or
// from a completion. The caller is authenticated, has the route's scope, and query and body hold
// nothing unknown.
namespace p402::api {

struct Call;
struct Route;
class Core;

// verify.cc
void VerifyKey(Call call, const net::Request& request);
// The usual case of it, {"key":"…"} from a caller who may ask: nullopt for everything else.
std::optional<net::DirectAnswer> AnswerVerifyDirectly(Core& core, const Route& route,
                                                      const net::Request& request,
                                                      std::string& scratch);

// keys_routes.cc
void CreateKey(Call call, const net::Request& request);
void ListKeys(Call call, const net::Request& request);
void GetOwnKey(Call call, const net::Request& request);
void GetKey(Call call, const net::Request& request);
void UpdateKey(Call call, const net::Request& request);
void RevokeKey(Call call, const net::Request& request);
void RotateKey(Call call, const net::Request& request);

// accounts_routes.cc
void CreateAccount(Call call, const net::Request& request);
void ListAccounts(Call call, const net::Request& request);

// audit_routes.cc
void ListAudit(Call call, const net::Request& request);
void VerifyAudit(Call call, const net::Request& request);
void AnchorAudit(Call call, const net::Request& request);
void PruneAudit(Call call, const net::Request& request);

// backup.cc
void BackUp(Call call, const net::Request& request);

// metrics.cc
void ShowMetrics(Call call, const net::Request& request);

// health.cc
void ShowLive(Call call, const net::Request& request);
void ShowReady(Call call, const net::Request& request);
void ShowOpenApi(Call call, const net::Request& request);

}  // namespace p402::api
