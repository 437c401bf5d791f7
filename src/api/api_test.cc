#include "api/api.h"

#include "api/problem.h"
#include "api/routes.h"
#include "api/testing/world.h"
#include "base/typeid.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

// What holds for every route: who may ask, in which order things are refused, and what every answer
// carries.
namespace p402::api {
namespace {

using testing::Answer;
using testing::Ask;
using ::testing::HasSubstr;
using testing::World;

const std::string kUnknownId = "key_01jx0000000000000000000000";

std::string PathOf(const Route& route) {
  std::string path(route.pattern);
  const size_t hole = path.find("{id}");
  if (hole != std::string::npos) path.replace(hole, 4, kUnknownId);
  return path;
}

std::vector<const Route*> Protected() {
  std::vector<const Route*> routes;
  for (const Route& route : Routes()) {
    if (route.access != Access::kPublic) routes.push_back(&route);
  }
  return routes;
}

void ExpectCommonHeaders(const Answer& answer) {
  const std::string request_id = answer.Header("X-Request-Id");
  const auto id = DecodeTypeId(request_id);
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->prefix, "req");
  EXPECT_EQ(answer.Header("Cache-Control"), "no-store");
  EXPECT_EQ(answer.Header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(answer.Header("Referrer-Policy"), "no-referrer");
  EXPECT_FALSE(answer.HasHeader("Access-Control-Allow-Origin"));
}

void ExpectProblem(const Answer& answer, int status, std::string_view code) {
  EXPECT_EQ(answer.status, status) << answer.body;
  EXPECT_EQ(answer.content_type, "application/problem+json");
  EXPECT_EQ(answer.code(), code) << answer.body;
  EXPECT_EQ(answer.Json().at("status").as_int64(), status);
  EXPECT_EQ(answer.Text("request_id"), answer.Header("X-Request-Id"));
  ExpectCommonHeaders(answer);
}

TEST(Api, B_NoCredentials) {
  World world;
  for (const Route* route : Protected()) {
    const Answer answer =
        world.Send({.method = std::string(route->method), .target = PathOf(*route)});
    ExpectProblem(answer, 401, "unauthenticated");
    EXPECT_EQ(answer.Header("WWW-Authenticate"), R"(Bearer realm="p402")");
  }
}

TEST(Api, B_BadKeysAreToldWhy) {
  World world;
  const std::string revoked = world.Create(R"({"name":"a"})").Text("key");
  const Answer made = world.Create(R"({"name":"b"})");
  const std::string elsewhere =
      world.Create(R"({"name":"c","allowed_cidrs":["198.51.100.0/24"]})").Text("key");
  const std::string revoked_id =
      world.Send({.target = "/api/v2/keys/self", .key = revoked}).Text("id");
  ASSERT_EQ(
      world
          .Send(
              {.method = "DELETE", .target = "/api/v2/keys/" + revoked_id, .key = world.root_key()})
          .status,
      200);
  ASSERT_EQ(world
                .Send({.method = "PATCH",
                       .target = "/api/v2/keys/" + made.Text("id"),
                       .key = world.root_key(),
                       .body = R"({"disabled":true})"})
                .status,
            200);
  std::string unknown = world.root_key();
  const std::pair<std::string, std::string_view> cases[] = {{"nonsense", "malformed"},
                                                            {revoked, "revoked"},
                                                            {made.Text("key"), "disabled"},
                                                            {elsewhere, "ip_not_allowed"}};
  for (const Route* route : Protected()) {
    for (const auto& [raw_key, code] : cases) {
      const Answer answer = world.Send({.method = std::string(route->method),
                                        .target = PathOf(*route),
                                        .key = raw_key,
                                        .peer = "203.0.113." + std::to_string(code.size())});
      if (answer.status == 429) continue;
      ExpectProblem(answer, 401, code);
      EXPECT_EQ(answer.Header("WWW-Authenticate"), R"(Bearer realm="p402", error="invalid_token")");
      EXPECT_EQ(answer.body.find(raw_key), std::string::npos) << "K4";
    }
  }
}

TEST(Api, B_AKeyWithoutTheScope) {
  World world;
  const std::string none = world.Create(R"({"name":"none","scopes":["other"]})").Text("key");
  for (const Route* route : Protected()) {
    if (route->scope.empty()) continue;
    const Answer answer =
        world.Send({.method = std::string(route->method), .target = PathOf(*route), .key = none});
    ExpectProblem(answer, 403, "insufficient_scope");
    EXPECT_EQ(answer.Text("needed_scope"), route->scope);
    EXPECT_EQ(answer.Header("WWW-Authenticate"),
              "Bearer realm=\"p402\", error=\"insufficient_scope\", scope=\"" +
                  std::string(route->scope) + "\"");
  }
}

TEST(Api, B_TheOrderOfRefusals) {
  World world;
  const std::string none = world.Create(R"({"name":"none","scopes":[]})").Text("key");
  const auto send = [&](std::string method, std::string target, std::string raw_key,
                        std::string body, std::string type) {
    return world
        .Send({.method = std::move(method),
               .target = std::move(target),
               .key = std::move(raw_key),
               .body = std::move(body),
               .content_type = std::move(type)})
        .code();
  };
  EXPECT_EQ(send("PUT", "/nowhere?x=1", "nonsense", "{", "text/plain"), "not_found");
  EXPECT_EQ(send("PUT", "/api/v2/keys?x=1", "nonsense", "{", "text/plain"), "method_not_allowed");
  EXPECT_EQ(send("POST", "/api/v2/keys?x=1", "nonsense", "{", "text/plain"), "malformed");
  EXPECT_EQ(send("POST", "/api/v2/keys?x=1", none, "{", "text/plain"), "insufficient_scope");
  EXPECT_EQ(send("POST", "/api/v2/keys?x=1", world.root_key(), "{", "text/plain"),
            "invalid_request");
  EXPECT_EQ(send("POST", "/api/v2/keys", world.root_key(), "{", "text/plain"),
            "unsupported_media_type");
  EXPECT_EQ(send("POST", "/api/v2/keys", world.root_key(), "{", "application/json"),
            "invalid_request");
  EXPECT_EQ(send("PATCH", "/api/v2/keys/" + kUnknownId, world.root_key(), R"({"naem":1})",
                 "application/json"),
            "invalid_request");
  EXPECT_EQ(send("PATCH", "/api/v2/keys/" + kUnknownId, world.root_key(), R"({"name":"x"})",
                 "application/json"),
            "not_found");
}

TEST(Api, B_MethodsAndPaths) {
  World world;
  const Answer wrong = world.Send({.method = "OPTIONS", .target = "/api/v2/keys"});
  ExpectProblem(wrong, 405, "method_not_allowed");
  EXPECT_EQ(wrong.Header("Allow"), "POST, GET, HEAD");
  ExpectProblem(world.Get("/"), 404, "not_found");
  EXPECT_FALSE(world.Get("/").HasHeader("Allow"));
}

TEST(Api, B_BodiesWhereTheyBelong) {
  World world;
  ExpectProblem(world.Send({.target = "/api/v2/keys", .key = world.root_key(), .body = "{}"}), 400,
                "invalid_request");
  ExpectProblem(world.Post("/api/v2/keys", ""), 400, "invalid_request");
  EXPECT_EQ(world.Post("/api/v2/audit/anchor", "").status, 200);
  EXPECT_EQ(world.Post("/api/v2/audit/anchor", "{}").status, 200);
  const Answer unknown = world.Post("/api/v2/audit/anchor", R"({"x":1})");
  ExpectProblem(unknown, 400, "invalid_request");
  EXPECT_EQ(unknown.Text("field"), "x");
}

TEST(Api, B_AKeyInTheQueryIsNoCredential) {
  World world;
  ExpectProblem(world.Send({.target = "/api/v2/keys?access_token=" + world.root_key()}), 401,
                "unauthenticated");
}

TEST(Api, B_TwoCredentialsAreRefused) {
  World world;
  const Answer both = world.Send({.target = "/api/v2/keys/self",
                                  .key = world.root_key(),
                                  .headers = {{"X-API-Key", world.root_key()}}});
  ExpectProblem(both, 400, "invalid_request");
  EXPECT_EQ(both.body.find(world.root_key()), std::string::npos);
  const Answer alone =
      world.Send({.target = "/api/v2/keys/self", .headers = {{"X-API-Key", world.root_key()}}});
  ExpectProblem(alone, 401, "unauthenticated");
}

TEST(Api, A7_ARequestIdIsOurOwnAndNew) {
  World world;
  const Ask ask{.target = "/livez", .headers = {{"X-Request-Id", "mine"}}};
  const std::string first = world.Send(ask).Header("X-Request-Id");
  const std::string second = world.Send(ask).Header("X-Request-Id");
  EXPECT_NE(first, "mine");
  EXPECT_NE(first, second);
}

TEST(Api, B_RequestsThatNeverBecameOneAreAnsweredToo) {
  World world;
  const net::Response refused = world.api().OnRefused(net::Refusal::kBadFraming, "two lengths");
  EXPECT_EQ(refused.status, 400);
  EXPECT_TRUE(refused.close);
  EXPECT_THAT(refused.body, HasSubstr("two lengths"));
  EXPECT_THAT(refused.body, HasSubstr(R"("code":"invalid_request")"));
  EXPECT_EQ(refused.headers.front().first, "X-Request-Id");
}

TEST(Api, S4_FailuresAreThrottledAndAValidKeyIsNot) {
  World world({.throttle = {.failures_per_second = 1, .burst = 3}});
  const Ask bad{.target = "/api/v2/keys", .key = "nonsense"};
  for (int i = 0; i < 3; ++i) ExpectProblem(world.Send(bad), 401, "malformed");
  const Answer slowed = world.Send(bad);
  ExpectProblem(slowed, 429, "too_many_requests");
  EXPECT_EQ(slowed.Header("Retry-After"), "1");
  EXPECT_FALSE(slowed.HasHeader("WWW-Authenticate"));
  EXPECT_EQ(world.Get("/api/v2/keys").status, 200);
  Ask elsewhere = bad;
  elsewhere.peer = "192.0.2.2";
  ExpectProblem(world.Send(elsewhere), 401, "malformed");
  world.clock().Advance(Millis(1000));
  ExpectProblem(world.Send(bad), 401, "malformed");
}

TEST(Api, S4_WhatIsNoFailedAuthenticationIsNotCounted) {
  World world({.throttle = {.failures_per_second = 0.001, .burst = 1}});
  const std::string none = world.Create(R"({"name":"none","scopes":[]})").Text("key");
  for (int i = 0; i < 5; ++i) {
    ExpectProblem(world.Send({.target = "/api/v2/keys"}), 401, "unauthenticated");
    ExpectProblem(world.Send({.target = "/api/v2/keys", .key = none}), 403, "insufficient_scope");
    ExpectProblem(world.Get("/nowhere"), 404, "not_found");
  }
  const Ask basic{.target = "/api/v2/keys", .headers = {{"Authorization", "Basic dTpw"}}};
  ExpectProblem(world.Send(basic), 401, "malformed");
  ExpectProblem(world.Send(basic), 429, "too_many_requests");
}

TEST(Api, S4_SourcesAreTakenFromTrustedProxiesOnly) {
  World world({.options = {.trusted_proxies = {*key::Cidr::Parse("192.0.2.1/32")}},
               .throttle = {.failures_per_second = 0.001, .burst = 1}});
  const auto from = [&](const std::string& client, const std::string& peer) {
    return world
        .Send({.target = "/api/v2/keys",
               .key = "nonsense",
               .headers = {{"X-Forwarded-For", client}},
               .peer = peer})
        .status;
  };
  EXPECT_EQ(from("198.51.100.1", "192.0.2.1"), 401);
  EXPECT_EQ(from("198.51.100.2", "192.0.2.1"), 401);
  EXPECT_EQ(from("198.51.100.1", "192.0.2.1"), 429);
  EXPECT_EQ(from("198.51.100.3", "192.0.2.9"), 401);
  EXPECT_EQ(from("198.51.100.4", "192.0.2.9"), 429) << "what an untrusted peer says is not read";
}

TEST(Api, A12_OnlyTheFirstAccountAdministers) {
  World world;
  const Answer made = world.Post("/api/v2/accounts", R"({"name":"Second"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string other(made.Json().at("key").at("key").as_string());
  for (const Route* route : Protected()) {
    if (route->access != Access::kFirstAccount) continue;
    const Answer answer =
        world.Send({.method = std::string(route->method), .target = PathOf(*route), .key = other});
    ExpectProblem(answer, 403, "insufficient_scope");
  }
  EXPECT_EQ(world.Send({.target = "/api/v2/keys", .key = other}).status, 200);
}

TEST(Api, A2_ATestKeyDoesNotAdminister) {
  World world;
  const Answer made = world.Post("/api/v2/keys", R"({"name":"sandbox","mode":"test"})");
  ASSERT_EQ(made.status, 201) << made.body;
  size_t refused = 0;
  for (const Route* route : Protected()) {
    if (route->access != Access::kFirstAccount) continue;
    ++refused;
    const Answer answer = world.Send(
        {.method = std::string(route->method), .target = PathOf(*route), .key = made.Text("key")});
    ExpectProblem(answer, 403, "insufficient_scope");
  }
  EXPECT_GE(refused, 7u);
}

TEST(Api, A9_TheDescriptionIsServed) {
  World world;
  const Answer answer = world.Send({.target = "/openapi.yaml"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/yaml");
  EXPECT_EQ(answer.body, OpenApiText());
  EXPECT_THAT(answer.body, HasSubstr("title: P402 Keys"));
  for (const ProblemCode& known : ProblemCodes()) {
    EXPECT_THAT(answer.body, HasSubstr("| `" + std::string(known.code) + "` | " +
                                       std::to_string(known.status) + " |"));
  }
}

TEST(Api, V2_TheAuthzListenerServesNothingElse) {
  World world;
  AuthzOnly only(world.api());
  const auto status = [&](const std::string& target) {
    return world.Send({.target = target, .key = world.root_key()}, &only).status;
  };
  EXPECT_EQ(status("/authz/default"), 200);
  EXPECT_EQ(status("/livez"), 200);
  EXPECT_EQ(status("/readyz"), 200);
  for (const std::string target :
       {"/api/v2/keys", "/metrics", "/openapi.yaml", "/", "/authz/default/../../metrics/x"}) {
    EXPECT_EQ(status(target), target.starts_with("/authz") ? 200 : 404) << target;
  }
  const testing::Message head(Ask{.target = "/x"});
  EXPECT_EQ(only.OnHead(head.request), net::BodyPolicy::kIgnore);
  EXPECT_EQ(only.OnRefused(net::Refusal::kHeadTooLarge, "").status, 431);
}

TEST(Api, V2_OnlyAuthzDoesNotWaitForABody) {
  World world;
  const auto policy = [&](const std::string& target) {
    const testing::Message head(Ask{.method = "POST", .target = target});
    return world.api().OnHead(head.request);
  };
  EXPECT_EQ(policy("/authz/default"), net::BodyPolicy::kIgnore);
  EXPECT_EQ(policy("/authz"), net::BodyPolicy::kIgnore);
  EXPECT_EQ(policy("/api/v2/keys"), net::BodyPolicy::kRead);
  EXPECT_EQ(policy("/authzx"), net::BodyPolicy::kRead);
}

TEST(Api, V2_WrongRoutesAreRefusedBeforeTheStart) {
  const auto is_fine = [](const std::string& name, AuthzRoute route) {
    Options options;
    options.routes.emplace(name, std::move(route));
    const Status checked = CheckOptions(options);
    if (!checked) {
      EXPECT_EQ(checked.error().field, name);
    }
    return checked.has_value();
  };
  EXPECT_TRUE(is_fine("models-2_x", {.scopes = {"a:b"}, .deny_status = 403}));
  EXPECT_TRUE(is_fine(std::string(64, 'a'), {}));
  EXPECT_FALSE(is_fine(std::string(65, 'a'), {}));
  EXPECT_FALSE(is_fine("", {}));
  EXPECT_FALSE(is_fine("a/b", {}));
  EXPECT_FALSE(is_fine("A", {}));
  EXPECT_FALSE(is_fine("x", {.scopes = {"A B"}}));
  EXPECT_FALSE(is_fine("x", {.deny_status = 200}));
}

TEST(Api, S_AFailedAuthenticationIsLoggedWithoutItsKey) {
  World world;
  world.Send({.target = "/api/v2/keys", .key = "p402_live_nonsense"});
  std::string all;
  for (const std::string& line : world.log().Lines()) all += line + "\n";
  EXPECT_THAT(all, HasSubstr("auth.failed code=malformed ip=192.0.2.1"));
  EXPECT_EQ(all.find("nonsense"), std::string::npos);
}

}  // namespace
}  // namespace p402::api
