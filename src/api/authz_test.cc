#include "api/authz.h"

#include "api/testing/world.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace p402::api {
namespace {

using testing::Answer;
using testing::Ask;
using ::testing::HasSubstr;
using testing::Headers;
using ::testing::Not;
using testing::World;

constexpr const char* kIdentity[] = {"X-Auth-Key-Id", "X-Auth-Name",   "X-Auth-Account",
                                     "X-Auth-Mode",   "X-Auth-Scopes", "X-Auth-Owner"};

World::Setup WithRoutes() {
  World::Setup setup;
  setup.options.routes = {
      {"models", {.scopes = {"models:read", "models:list"}}},
      {"nginx", {.scopes = {"models:read"}, .deny_status = 403}},
      {"shy", {.scopes = {"models:read"}, .deny_status = 401}},
      {"sandbox", {.mode = key::Mode::kTest}},
      {"either", {.mode = std::nullopt}},
  };
  return setup;
}

Answer Authorize(World& world, const std::string& raw_key, const std::string& target) {
  return world.Send({.target = target, .key = raw_key});
}

TEST(Authz, V2_AValidKeyIsNamedInFull) {
  World world;
  const Answer made = world.Create(R"({"name":"agent v2/é","scopes":["b","a"],"owner":"cust,1"})");
  const Answer answer = Authorize(world, made.Text("key"), "/authz/default");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.Header("X-Auth-Key-Id"), made.Text("id"));
  EXPECT_EQ(answer.Header("X-Auth-Name"), "agent%20v2%2F%C3%A9");
  EXPECT_EQ(answer.Header("X-Auth-Account"), world.first_account().ToString());
  EXPECT_EQ(answer.Header("X-Auth-Mode"), "live");
  EXPECT_EQ(answer.Header("X-Auth-Scopes"), "a b");
  EXPECT_EQ(answer.Header("X-Auth-Owner"), "cust%2C1");
  EXPECT_EQ(answer.Header("Cache-Control"), "no-store");
  EXPECT_THAT(answer.body, Not(HasSubstr(made.Text("key"))));
  EXPECT_EQ(answer.Text("key_id"), made.Text("id"));
}

TEST(Authz, V2_EveryIdentityHeaderAlwaysHasAValue) {
  World world;
  const Answer made = world.Create(R"({"name":"-","scopes":[]})");
  const Answer answer = Authorize(world, made.Text("key"), "/authz/default");
  for (const char* name : kIdentity) EXPECT_NE(answer.Header(name), "") << name;
  EXPECT_EQ(answer.Header("X-Auth-Scopes"), "-");
  EXPECT_EQ(answer.Header("X-Auth-Owner"), "-");
  EXPECT_EQ(answer.Header("X-Auth-Name"), "%2D") << "a name of one dash is not an empty one";
}

TEST(Authz, V2_AnyMethodAndEitherHeader) {
  World world;
  for (const std::string method : {"GET", "HEAD", "POST", "OPTIONS", "PROPFIND", "FOO"}) {
    const Ask ask{.method = method, .target = "/authz/default", .key = world.root_key()};
    EXPECT_EQ(world.Send(ask).status, 200) << method;
  }
  const Ask by_header{.target = "/authz/default", .headers = {{"X-API-Key", world.root_key()}}};
  EXPECT_EQ(world.Send(by_header).status, 200);
  const Answer both = world.Send({.target = "/authz/default",
                                  .key = world.root_key(),
                                  .headers = {{"X-API-Key", world.root_key()}}});
  EXPECT_EQ(both.status, 400);
  EXPECT_EQ(both.code(), "invalid_request");
}

TEST(Authz, V2_ThePolicyIsTheFirstSegmentByteByByte) {
  World world(WithRoutes());
  const auto status = [&](const std::string& target) {
    return Authorize(world, world.root_key(), target).status;
  };
  for (const std::string target :
       {"/authz/default", "/authz/default/", "/authz/default/../models", "/authz/default?x=%ff",
        "/authz/models/users/path?with=query", "/authz/default/%00"}) {
    EXPECT_EQ(status(target), 200) << target;
  }
  for (const std::string target :
       {"/authz", "/authz/", "/authz//default", "/authz/./default", "/authz/../authz/default",
        "/authz/nope", "/authz/%64efault", "/authz/DEFAULT", "/authz/default%2f", "/authz/defaul",
        "/authz/default;x"}) {
    EXPECT_EQ(status(target), 404) << target;
  }
}

TEST(Authz, V2_TheQueryDecidesNothing) {
  World world(WithRoutes());
  const Answer weak = world.Create(R"({"name":"weak","scopes":["other"]})");
  EXPECT_EQ(Authorize(world, weak.Text("key"), "/authz/models?scopes=other&mode=test").status, 403);
  const Answer none = world.Send({.target = "/authz/default?access_token=" + world.root_key()});
  EXPECT_EQ(none.status, 401);
  EXPECT_EQ(none.code(), "unauthenticated");
  EXPECT_EQ(none.Header("WWW-Authenticate"), R"(Bearer realm="p402")");
}

TEST(Authz, V2_InboundIdentityIsNeitherBelievedNorEchoed) {
  World world;
  Headers forged = {{"X-Auth-Status", "200"}, {"X-Auth-Extra", "forged"}};
  for (const char* name : kIdentity) forged.emplace_back(name, "forged");
  const auto flat = [](const Answer& answer) {
    std::string text = answer.body;
    for (const auto& [name, value] : answer.headers) text += name + value;
    return text;
  };
  const Answer allowed =
      world.Send({.target = "/authz/default", .key = world.root_key(), .headers = forged});
  EXPECT_EQ(allowed.status, 200);
  EXPECT_THAT(flat(allowed), Not(HasSubstr("forged")));
  const Answer refused = world.Send({.target = "/authz/default", .headers = forged});
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(flat(refused), Not(HasSubstr("forged")));
  for (const char* name : kIdentity) EXPECT_FALSE(refused.HasHeader(name)) << name;
}

TEST(Authz, V2_ScopesAndModesOfARoute) {
  World world(WithRoutes());
  const auto create = [&](const std::string& body) { return world.Create(body).Text("key"); };
  const std::string reader = create(R"({"name":"r","scopes":["models:read","models:list"]})");
  const std::string half = create(R"({"name":"h","scopes":["models:read"]})");
  const std::string test = create(R"({"name":"t","mode":"test"})");
  EXPECT_EQ(Authorize(world, reader, "/authz/models").status, 200);
  const Answer refused = Authorize(world, half, "/authz/models");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.code(), "insufficient_scope");
  EXPECT_EQ(refused.Text("needed_scope"), "models:read models:list");
  EXPECT_EQ(refused.Header("WWW-Authenticate"),
            R"(Bearer realm="p402", error="insufficient_scope", scope="models:read models:list")");
  EXPECT_EQ(Authorize(world, test, "/authz/sandbox").status, 200);
  EXPECT_EQ(Authorize(world, test, "/authz/either").status, 200);
  const Answer wrong = Authorize(world, test, "/authz/default");
  EXPECT_EQ(wrong.status, 403);
  EXPECT_EQ(wrong.code(), "wrong_mode");
  EXPECT_EQ(Authorize(world, reader, "/authz/sandbox").code(), "wrong_mode");
}

TEST(Authz, V2_AKeyOfAnotherAccountIsNotFound) {
  World world;
  const Answer second = world.Post("/api/v2/accounts", R"({"name":"Second"})");
  const std::string stranger(second.Json().at("key").at("key").as_string());
  const Answer answer = Authorize(world, stranger, "/authz/default");
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.code(), "not_found");
}

TEST(Authz, V2_DenyStatusKeepsTheTrueOneInAHeader) {
  World::Setup setup = WithRoutes();
  setup.throttle = {.failures_per_second = 0.001, .burst = 2};
  World world(std::move(setup));
  const std::string weak = world.Create(R"({"name":"w","scopes":[]})").Text("key");
  const auto expect = [&](const std::string& raw_key, const std::string& target, int status,
                          const std::string& truth, const std::string& code) {
    const Answer answer = Authorize(world, raw_key, target);
    EXPECT_EQ(answer.status, status) << target;
    EXPECT_EQ(answer.Header("X-Auth-Status"), truth);
    EXPECT_EQ(answer.code(), code);
    EXPECT_EQ(answer.HasHeader("WWW-Authenticate"), status == 401 || truth != "429");
  };
  expect("", "/authz/nginx", 403, "401", "unauthenticated");
  expect(weak, "/authz/nginx", 403, "403", "insufficient_scope");
  expect(weak, "/authz/shy", 401, "403", "insufficient_scope");
  expect("bad", "/authz/nginx", 403, "401", "malformed");
  expect("bad", "/authz/shy", 401, "401", "malformed");
  expect("bad", "/authz/nginx", 403, "429", "too_many_requests");
  expect("bad", "/authz/shy", 401, "429", "too_many_requests");
  const Answer slowed = Authorize(world, "bad", "/authz/default");
  EXPECT_EQ(slowed.status, 429);
  EXPECT_NE(slowed.Header("Retry-After"), "");
  EXPECT_EQ(Authorize(world, world.root_key(), "/authz/nginx").status, 200);
  EXPECT_FALSE(Authorize(world, world.root_key(), "/authz/nginx").HasHeader("X-Auth-Status"));
}

TEST(Authz, S4_ClientAddressesComeFromTrustedProxiesOnly) {
  World::Setup setup;
  setup.options.trusted_proxies = {*key::Cidr::Parse("10.0.0.1")};
  World world(std::move(setup));
  const std::string limited =
      world.Create(R"({"name":"l","allowed_cidrs":["198.51.100.0/24"]})").Text("key");
  const auto code = [&](const std::string& peer, const Headers& headers) {
    const Answer answer =
        world.Send({.target = "/authz/default", .key = limited, .headers = headers, .peer = peer});
    return answer.status == 200 ? "valid" : answer.code();
  };
  const Headers inside = {{"X-Forwarded-For", "198.51.100.7"}};
  EXPECT_EQ(code("10.0.0.1", inside), "valid");
  EXPECT_EQ(code("10.0.0.2", inside), "ip_not_allowed");
  EXPECT_EQ(code("198.51.100.7", {}), "valid");
  EXPECT_EQ(code("10.0.0.1", {}), "ip_not_allowed") << "an unknown address is not allowed";
  EXPECT_EQ(code("unix", inside), "ip_not_allowed");
  EXPECT_EQ(code("10.0.0.1", {{"X-Forwarded-For", "198.51.100.7, 203.0.113.1"}}), "ip_not_allowed");
}

TEST(Authz, R1_ARevokedKeyIsRefusedFromTheAnswerOn) {
  World world;
  const Answer made = world.Create(R"({"name":"x"})");
  EXPECT_EQ(Authorize(world, made.Text("key"), "/authz/default").status, 200);
  world.Send(
      {.method = "DELETE", .target = "/api/v2/keys/" + made.Text("id"), .key = world.root_key()});
  const Answer refused = Authorize(world, made.Text("key"), "/authz/default");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.code(), "revoked");
  EXPECT_EQ(refused.Header("WWW-Authenticate"), R"(Bearer realm="p402", error="invalid_token")");
}

TEST(Authz, V4_WhatIsNotCurrentNeverSaysValid) {
  World world(WithRoutes());
  world.feed().Stop();
  world.Run();
  for (const std::string target : {"/authz/default", "/authz/nginx"}) {
    const Answer answer = Authorize(world, world.root_key(), target);
    EXPECT_EQ(answer.status, 503) << "no deny_status: it is no refusal";
    EXPECT_EQ(answer.code(), "not_ready");
    EXPECT_NE(answer.Header("Retry-After"), "");
    for (const char* name : kIdentity) EXPECT_FALSE(answer.HasHeader(name)) << name;
  }
}

}  // namespace
}  // namespace p402::api
