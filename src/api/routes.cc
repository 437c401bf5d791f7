#include "api/routes.h"

#include <array>

#include "api/core.h"
#include "api/handlers.h"
#include "key/ids.h"

namespace p402::api {
namespace {

using enum Access;

constexpr std::string_view kListQuery =
    "limit cursor status mode owner prefix name unused_for expires_before";
constexpr std::string_view kCreateFields =
    "name mode scopes expires_at metadata owner allowed_cidrs";
constexpr std::string_view kUpdateFields =
    "name metadata owner scopes disabled expires_at allowed_cidrs";
constexpr std::string_view kAuditQuery = "limit cursor subject action";

// clang-format off
constexpr std::array kRoutes = std::to_array<Route>({
  {"POST",   "/api/v2/keys/verify",      kAnyKey,       "keys:verify",    "",          Body::kRequired, "key scopes ip mode", VerifyKey, AnswerVerifyDirectly},
  {"POST",   "/api/v2/keys",             kAnyKey,       "keys:write",     "",          Body::kRequired, kCreateFields,        CreateKey},
  {"GET",    "/api/v2/keys",             kAnyKey,       "keys:read",      kListQuery,  Body::kNone,     "",                   ListKeys},
  {"GET",    "/api/v2/keys/self",        kAnyKey,       "",               "",          Body::kNone,     "",                   GetOwnKey},
  {"GET",    "/api/v2/keys/{id}",        kAnyKey,       "keys:read",      "",          Body::kNone,     "",                   GetKey},
  {"PATCH",  "/api/v2/keys/{id}",        kAnyKey,       "keys:write",     "",          Body::kRequired, kUpdateFields,        UpdateKey},
  {"DELETE", "/api/v2/keys/{id}",        kKeyItself,    "keys:write",     "cascade",   Body::kOptional, "reason",             RevokeKey},
  {"POST",   "/api/v2/keys/{id}/rotate", kAnyKey,       "keys:write",     "",          Body::kOptional, "grace",              RotateKey},
  {"POST",   "/api/v2/accounts",         kFirstAccount, "accounts:write", "",          Body::kRequired, "name",               CreateAccount},
  {"GET",    "/api/v2/accounts",         kFirstAccount, "accounts:write", "",          Body::kNone,     "",                   ListAccounts},
  {"GET",    "/api/v2/audit",            kAnyKey,       "audit:read",     kAuditQuery, Body::kNone,     "",                   ListAudit},
  {"GET",    "/api/v2/audit/verify",     kFirstAccount, "audit:read",     "anchor",    Body::kNone,     "",                   VerifyAudit},
  {"POST",   "/api/v2/audit/anchor",     kFirstAccount, "audit:read",     "",          Body::kOptional, "",                   AnchorAudit},
  {"POST",   "/api/v2/audit/prune",      kFirstAccount, "audit:prune",    "",          Body::kRequired, "older_than",         PruneAudit},
  {"POST",   "/api/v2/backup",           kFirstAccount, "store:backup",   "",          Body::kOptional, "",                   BackUp},
  {"GET",    "/metrics",                 kFirstAccount, "metrics:read",   "",          Body::kNone,     "",                   ShowMetrics},
  {"GET",    "/livez",                   kPublic,       "",               "",          Body::kNone,     "",                   ShowLive},
  {"GET",    "/readyz",                  kPublic,       "",               "",          Body::kNone,     "",                   ShowReady},
  {"GET",    "/openapi.yaml",            kPublic,       "",               "",          Body::kNone,     "",                   ShowOpenApi},
  // ANY     /authz/<route>              the presented key is the credential: authz.cc
});
// clang-format on

// What stands for {id}, or nullopt. A literal pattern has an empty parameter.
// `literal`: only a pattern without {id} matches, or only one with it.
std::optional<std::string_view> MatchPattern(std::string_view pattern, std::string_view path,
                                             bool literal) {
  constexpr std::string_view kHole = "{id}";
  if (literal) {
    const bool is_match = path == pattern && path.find(kHole) == std::string_view::npos;
    return is_match ? std::optional<std::string_view>("") : std::nullopt;
  }
  const size_t hole = pattern.find(kHole);
  if (hole == std::string_view::npos) return std::nullopt;
  const std::string_view before = pattern.substr(0, hole);
  const std::string_view after = pattern.substr(hole + kHole.size());
  if (path.size() <= before.size() + after.size()) return std::nullopt;
  if (!path.starts_with(before) || !path.ends_with(after)) return std::nullopt;
  path = path.substr(before.size(), path.size() - before.size() - after.size());
  return key::KeyId::Parse(path) ? std::optional(path) : std::nullopt;
}

// `literal`: only patterns without {id}, or only those with it.
Match FindAmong(bool literal, std::string_view method, std::string_view path) {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  Match match;
  for (const Route& route : kRoutes) {
    const auto parameter = MatchPattern(route.pattern, path, literal);
    if (!parameter) continue;
    if (route.method == wanted) return Match{.route = &route, .parameter = *parameter};
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += route.method;
    if (route.method == "GET") match.allow += ", HEAD";
  }
  return match;
}

}  // namespace

std::span<const Route> Routes() {
  return kRoutes;
}

Match FindRoute(std::string_view method, std::string_view path) {
  Match match = FindAmong(/*literal=*/true, method, path);
  if (match.route != nullptr || !match.allow.empty()) return match;
  return FindAmong(/*literal=*/false, method, path);
}

}  // namespace p402::api
