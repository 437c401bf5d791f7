#include "api/testing/world.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace p402::api {
namespace {

using testing::Answer;
using testing::Ask;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::World;

const std::string kUnknownId = "key_01jx0000000000000000000000";

std::vector<std::string> Members(const Answer& answer) {
  std::vector<std::string> names;
  const auto value = answer.Json();
  for (const auto& member : value.as_object()) names.emplace_back(member.key());
  return names;
}

std::vector<std::string> Ids(const Answer& answer) {
  std::vector<std::string> ids;
  const auto value = answer.Json();
  for (const auto& key : value.at("keys").as_array()) {
    ids.emplace_back(key.at("id").as_string());
  }
  return ids;
}

Answer Patch(World& world, const std::string& id, const std::string& body) {
  return world.Send(
      {.method = "PATCH", .target = "/api/v2/keys/" + id, .key = world.root_key(), .body = body});
}

Answer Delete(World& world, const std::string& id, const std::string& key,
              const std::string& body = {}, const std::string& query = {}) {
  return world.Send(
      {.method = "DELETE", .target = "/api/v2/keys/" + id + query, .key = key, .body = body});
}

std::string CodeOf(World& world, const std::string& raw_key) {
  return world.Post("/api/v2/keys/verify", "{\"key\":\"" + raw_key + "\"}").code();
}

TEST(KeysRoutes, A_TheThreeFixedBodies) {
  World world;
  const Answer created = world.Create(R"({"name": "production-agent-v2"})");
  ASSERT_EQ(created.status, 201) << created.body;
  EXPECT_EQ(created.content_type, "application/json");
  EXPECT_THAT(Members(created),
              ::testing::ElementsAre(
                  "id", "name", "key", "prefix", "created_at", "last_used_at", "status", "mode",
                  "scopes", "owner", "metadata", "allowed_cidrs", "created_by", "expires_at",
                  "revoked_at", "revoke_reason", "rotated_from", "enforced", "nodes", "took_ms"));
  const std::string raw = created.Text("key");
  EXPECT_TRUE(raw.starts_with("p402_live_"));
  EXPECT_EQ(raw.size(), 48U);
  EXPECT_EQ(created.Text("prefix"), raw.substr(0, 16));
  EXPECT_EQ(created.Text("created_at"), "2026-04-15T12:00:00Z");
  EXPECT_TRUE(created.Json().at("enforced").as_bool());
  EXPECT_TRUE(created.is_secret) << "K4: every buffer of this answer is wiped";
  EXPECT_EQ(created.Header("Location"), "/api/v2/keys/" + created.Text("id"));
  EXPECT_EQ(created.Header("Cache-Control"), "no-store");

  const Answer list = world.Get("/api/v2/keys");
  ASSERT_EQ(list.status, 200);
  EXPECT_THAT(Ids(list), ::testing::ElementsAre(created.Text("id"), world.root_id().ToString()));
  EXPECT_THAT(list.body, Not(HasSubstr(raw)));
  EXPECT_FALSE(list.is_secret);

  const Answer revoked = Delete(world, created.Text("id"), world.root_key());
  ASSERT_EQ(revoked.status, 200) << revoked.body;
  EXPECT_EQ(revoked.Text("id"), created.Text("id"));
  EXPECT_EQ(revoked.Text("status"), "revoked");
  EXPECT_TRUE(revoked.Json().at("enforced").as_bool());
}

TEST(KeysRoutes, R1_AnswersOnlyAfterTheIndexHasIt) {
  World world;
  const Answer created = world.Create(R"({"name":"x"})");
  EXPECT_EQ(CodeOf(world, created.Text("key")), "valid");
  Delete(world, created.Text("id"), world.root_key());
  EXPECT_EQ(CodeOf(world, created.Text("key")), "revoked");
}

TEST(KeysRoutes, A1_EveryFieldArrives) {
  World world;
  const Answer created = world.Create(
      R"({"name":"n","mode":"test","scopes":["b","a"],"expires_at":"2027-01-01T02:00:00+02:00",)"
      R"("metadata":{"k":[1.50,null]},"owner":"cust \u00e9","allowed_cidrs":["10.0.0.0/8"]})");
  ASSERT_EQ(created.status, 201) << created.body;
  const Answer shown = world.Get("/api/v2/keys/" + created.Text("id"));
  EXPECT_THAT(shown.body, HasSubstr(R"("mode":"test","scopes":["a","b"],"owner":"cust é",)"
                                    R"("metadata":{"k":[1.50,null]},)"
                                    R"("allowed_cidrs":["10.0.0.0/8"])"));
  EXPECT_EQ(shown.Text("expires_at"), "2027-01-01T00:00:00Z");
  EXPECT_EQ(shown.Json().at("created_by").at("id").as_string(), world.root_id().ToString());
}

TEST(KeysRoutes, A1_WrongFieldsAreRefusedByName) {
  World world;
  const std::pair<const char*, const char*> cases[] = {
      {R"({})", "name"},
      {R"({"name":""})", "name"},
      {R"({"name":null})", "name"},
      {R"({"name":7})", "name"},
      {R"({"name":"a\u0007"})", "name"},
      {R"({"name":"x","expire_at":"2027-01-01T00:00:00Z"})", "expire_at"},
      {R"({"name":"x","name":"y"})", "name"},
      {R"({"name":"x","mode":"LIVE"})", "mode"},
      {R"({"name":"x","scopes":"a"})", "scopes"},
      {R"({"name":"x","scopes":["A"]})", "scopes"},
      {R"({"name":"x","expires_at":1767225600})", "expires_at"},
      {R"({"name":"x","expires_at":"2020-01-01T00:00:00Z"})", "expires_at"},
      {R"({"name":"x","metadata":[]})", "metadata"},
      {R"({"name":"x","owner":1})", "owner"},
      {R"({"name":"x","allowed_cidrs":["10.0.0.1/8"]})", "allowed_cidrs"},
      {R"({"name":"x","disabled":true})", "disabled"},
  };
  for (const auto& [body, field] : cases) {
    const Answer answer = world.Create(body);
    EXPECT_EQ(answer.status, 400) << body << answer.body;
    EXPECT_THAT(answer.Text("field"), ::testing::StartsWith(field)) << body;
    EXPECT_THAT(answer.Text("detail"), HasSubstr(field)) << body;
  }
  EXPECT_EQ(Ids(world.Get("/api/v2/keys")).size(), 1U) << "nothing was created";
}

TEST(KeysRoutes, A10_ARetryCreatesNothingAndNeverRepeatsTheRawKey) {
  World world;
  const auto post = [&](const std::string& token, const std::string& body) {
    return world.Send({.method = "POST",
                       .target = "/api/v2/keys",
                       .key = world.root_key(),
                       .body = body,
                       .headers = {{"Idempotency-Key", token}}});
  };
  const Answer first = post("abc", R"({"name":"x","scopes":["a"]})");
  ASSERT_EQ(first.status, 201);
  const Answer again = post("\"abc\"", R"({ "scopes": ["a"], "name": "\u0078" })");
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.code(), "already_created");
  EXPECT_EQ(again.Text("key_id"), first.Text("id"));
  EXPECT_THAT(again.body, Not(HasSubstr(first.Text("key"))));
  const Answer other = post("abc", R"({"name":"y"})");
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(other.code(), "idempotency_mismatch");
  EXPECT_EQ(post(std::string(256, 'k'), R"({"name":"x"})").status, 400);
  EXPECT_EQ(Ids(world.Get("/api/v2/keys")).size(), 2U);
}

TEST(KeysRoutes, A3_PagesAndLinks) {
  World world;
  std::vector<std::string> made = {world.root_id().ToString()};
  for (int i = 0; i < 6; ++i) {
    made.insert(made.begin(), world.Create(R"({"name":"page a&b","owner":"o"})").Text("id"));
  }
  std::vector<std::string> seen;
  std::string target = "/api/v2/keys?limit=2";
  while (!target.empty()) {
    const Answer page = world.Get(target);
    ASSERT_EQ(page.status, 200) << page.body;
    const auto ids = Ids(page);
    seen.insert(seen.end(), ids.begin(), ids.end());
    const std::string link = page.Header("Link");
    EXPECT_EQ(link.empty(), page.Json().at("next_cursor").is_null());
    target = link.empty() ? "" : link.substr(1, link.find('>') - 1);
  }
  EXPECT_EQ(seen, made);
  EXPECT_EQ(Ids(world.Get("/api/v2/keys?name=A%26B&owner=o&limit=1000")).size(), 6U);
  EXPECT_EQ(Ids(world.Get("/api/v2/keys?mode=test")).size(), 0U);
  EXPECT_EQ(Ids(world.Get("/api/v2/keys?status=revoked")).size(), 0U);
  EXPECT_EQ(Ids(world.Get("/api/v2/keys?prefix=p402_live_")).size(), 7U);
  EXPECT_EQ(Ids(world.Get("/api/v2/keys?expires_before=2030-01-01T00:00:00Z")).size(), 0U);
  EXPECT_EQ(Ids(world.Get("/api/v2/keys?owner=o&unused_for=1h")).size(), 6U);
}

TEST(KeysRoutes, A3_WrongParametersAreRefusedByName) {
  World world;
  for (const std::string query :
       {"limit=0", "limit=1001", "cursor=x", "status=gone", "mode=prod", "unused_for=soon",
        "expires_before=tomorrow", "stauts=x", "limit=1&limit=1", "name=%zz"}) {
    const Answer answer = world.Get("/api/v2/keys?" + query);
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_EQ(answer.Text("field"), query.substr(0, query.find('='))) << query;
  }
}

TEST(KeysRoutes, A11_AKeyIsToldAboutItselfWithoutAnyScope) {
  World world;
  const Answer made = world.Create(R"({"name":"bare","scopes":[]})");
  const Answer self = world.Send({.target = "/api/v2/keys/self", .key = made.Text("key")});
  EXPECT_EQ(self.status, 200);
  EXPECT_EQ(self.Text("id"), made.Text("id"));
  EXPECT_THAT(self.body, Not(HasSubstr(made.Text("key"))));
}

TEST(KeysRoutes, A4_PatchSetsAndNullClears) {
  World world;
  const std::string id =
      world
          .Create(R"({"name":"before","owner":"o","metadata":{"a":1},"scopes":["a","b"],)"
                  R"("expires_at":"2027-01-01T00:00:00Z","allowed_cidrs":["10.0.0.0/8"]})")
          .Text("id");
  const Answer named = Patch(world, id, R"({"name":"after","metadata":{"b":2},"scopes":["a"]})");
  ASSERT_EQ(named.status, 200) << named.body;
  EXPECT_EQ(named.Text("name"), "after");
  EXPECT_EQ(named.Text("owner"), "o");
  EXPECT_THAT(named.body, HasSubstr(R"("metadata":{"b":2})"));
  EXPECT_THAT(named.body, HasSubstr(R"("scopes":["a"])"));
  EXPECT_EQ(named.Text("expires_at"), "2027-01-01T00:00:00Z");
  EXPECT_TRUE(named.Json().at("enforced").as_bool());
  const Answer cleared =
      Patch(world, id, R"({"owner":null,"metadata":null,"expires_at":null,"allowed_cidrs":null})");
  EXPECT_THAT(cleared.body, HasSubstr(R"("owner":null,"metadata":null,"allowed_cidrs":[])"));
  EXPECT_TRUE(cleared.Json().at("expires_at").is_null());
  EXPECT_EQ(Patch(world, id, R"({"disabled":true})").Text("status"), "disabled");
  EXPECT_EQ(Patch(world, id, R"({"disabled":false})").Text("status"), "active");
  for (const std::string body : {R"({"name":null})", R"({"scopes":null})", R"({"disabled":null})",
                                 R"({"mode":"test"})", R"({"id":"x"})", R"([])"}) {
    EXPECT_EQ(Patch(world, id, body).status, 400) << body;
  }
}

TEST(KeysRoutes, A4_PatchTakesMergePatchJson) {
  World world;
  const std::string id = world.Create(R"({"name":"x"})").Text("id");
  Ask ask{.method = "PATCH",
          .target = "/api/v2/keys/" + id,
          .key = world.root_key(),
          .body = R"({"name":"y"})",
          .content_type = "application/merge-patch+json"};
  EXPECT_EQ(world.Send(ask).Text("name"), "y");
  ask.method = "POST";
  ask.target = "/api/v2/keys";
  EXPECT_EQ(world.Send(ask).status, 415);
}

TEST(KeysRoutes, A5_RevocationWithReasonAndRepetition) {
  World world;
  const std::string id = world.Create(R"({"name":"x"})").Text("id");
  EXPECT_EQ(Delete(world, id, world.root_key(), R"({"raeson":"x"})").status, 400);
  EXPECT_EQ(Delete(world, id, world.root_key(), "", "?cascade=maybe").status, 400);
  EXPECT_EQ(world.Get("/api/v2/keys/" + id).Text("status"), "active");
  const Answer first = Delete(world, id, world.root_key(), R"({"reason":"laptop stolen"})");
  EXPECT_EQ(first.Text("revoke_reason"), "laptop stolen");
  world.clock().Advance(std::chrono::minutes(5));
  const Answer second = Delete(world, id, world.root_key());
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.Text("revoked_at"), first.Text("revoked_at"));
  EXPECT_EQ(Patch(world, id, R"({"name":"y"})").code(), "key_revoked");
}

TEST(KeysRoutes, A5_CascadeNamesWhatWasRevokedToo) {
  World world;
  const Answer parent = world.Create(R"({"name":"parent","scopes":["keys:write"]})");
  const Answer child = world.Send({.method = "POST",
                                   .target = "/api/v2/keys",
                                   .key = parent.Text("key"),
                                   .body = R"({"name":"child"})"});
  const Answer answer = Delete(world, parent.Text("id"), world.root_key(), "", "?cascade=true");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("\"cascaded\":[\"" + child.Text("id") + "\"]"));
  EXPECT_EQ(CodeOf(world, child.Text("key")), "revoked");
}

TEST(KeysRoutes, A5_AKeyRevokesItselfAndMayRepeatThatOnly) {
  World world;
  const Answer own = world.Create(R"({"name":"own","scopes":[]})");
  const Answer other = world.Create(R"({"name":"other","scopes":[]})");
  const std::string key = own.Text("key");
  EXPECT_EQ(Delete(world, other.Text("id"), key).code(), "insufficient_scope");
  const Answer first = Delete(world, own.Text("id"), key);
  ASSERT_EQ(first.status, 200) << first.body;
  const Answer again = Delete(world, own.Text("id"), key);
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(again.Text("revoked_at"), first.Text("revoked_at"));
  EXPECT_EQ(Delete(world, other.Text("id"), key).code(), "revoked");
  EXPECT_EQ(Delete(world, kUnknownId, key).code(), "revoked");
  EXPECT_EQ(world.Send({.target = "/api/v2/keys/self", .key = key}).code(), "revoked");
  EXPECT_EQ(world.Send({.target = "/api/v2/keys/" + own.Text("id"), .key = key}).code(), "revoked");
}

TEST(KeysRoutes, A8_WhatMayNotBeSeenIsLikeWhatDoesNotExist) {
  World world;
  const Answer second = world.Post("/api/v2/accounts", R"({"name":"Second"})");
  const std::string stranger(second.Json().at("key").at("key").as_string());
  const std::string mine = world.Create(R"({"name":"mine"})").Text("id");
  for (const std::string method : {"GET", "PATCH", "DELETE"}) {
    std::vector<std::string> bodies;
    for (const std::string& id : {mine, kUnknownId}) {
      Answer answer = world.Send({.method = method,
                                  .target = "/api/v2/keys/" + id,
                                  .key = stranger,
                                  .body = method == "PATCH" ? R"({"name":"x"})" : ""});
      EXPECT_EQ(answer.status, 404);
      const std::string request_id = answer.Header("X-Request-Id");
      answer.body.replace(answer.body.find(request_id), request_id.size(), "");
      for (const auto& [name, value] : answer.headers) {
        if (name != "X-Request-Id") answer.body += "\n" + name + ": " + value;
      }
      bodies.push_back(answer.body);
    }
    EXPECT_EQ(bodies[0], bodies[1]);
  }
}

TEST(KeysRoutes, A11_RotationGivesANewKeyAndEndsTheOldOne) {
  World world;
  const Answer old = world.Create(R"({"name":"x","scopes":["a"]})");
  const std::string target = "/api/v2/keys/" + old.Text("id") + "/rotate";
  const Answer graceful = world.Post(target, R"({"grace":"1h"})");
  ASSERT_EQ(graceful.status, 201) << graceful.body;
  EXPECT_TRUE(graceful.is_secret);
  EXPECT_EQ(graceful.Text("rotated_from"), old.Text("id"));
  EXPECT_NE(graceful.Text("key"), old.Text("key"));
  EXPECT_EQ(graceful.Header("Location"), "/api/v2/keys/" + graceful.Text("id"));
  EXPECT_EQ(CodeOf(world, old.Text("key")), "valid");
  EXPECT_EQ(world.Get("/api/v2/keys/" + old.Text("id")).Text("expires_at"), "2026-04-15T13:00:00Z");
  EXPECT_EQ(world.Post(target, R"({"grace":"0"})").status, 201);
  EXPECT_EQ(CodeOf(world, old.Text("key")), "expired");
  EXPECT_EQ(world.Post(target, R"({"grace":"0"})").code(), "key_expired");
  for (const std::string body : {R"({"grace":-1})", R"({"grace":"soon"})", R"({"garce":"1h"})"}) {
    EXPECT_EQ(world.Post(target, body).status, 400) << body;
  }
}

TEST(KeysRoutes, A11_WithoutABodyTheGraceIsADay) {
  World world;
  const Answer old = world.Create(R"({"name":"x"})");
  ASSERT_EQ(world.Post("/api/v2/keys/" + old.Text("id") + "/rotate", "").status, 201);
  EXPECT_EQ(world.Get("/api/v2/keys/" + old.Text("id")).Text("expires_at"), "2026-04-16T12:00:00Z");
}

TEST(KeysRoutes, R1_RespondAsyncIs202WhileSomeoneIsPending) {
  World world;
  const auto send = [&](const std::string& method, const std::string& target,
                        const std::string& body) {
    return world.Send({.method = method,
                       .target = target,
                       .key = world.root_key(),
                       .body = body,
                       .headers = {{"Prefer", "respond-async"}}});
  };
  const Answer created = send("POST", "/api/v2/keys", R"({"name":"x"})");
  ASSERT_TRUE(created.status == 201 || created.status == 202) << created.body;
  const std::string id = "/api/v2/keys/" + created.Text("id");
  for (const Answer& answer : {created, send("PATCH", id, R"({"name":"y"})"),
                               send("POST", id + "/rotate", "{}"), send("DELETE", id, "")}) {
    const bool is_enforced = answer.Json().at("enforced").as_bool();
    EXPECT_EQ(answer.status == 202, !is_enforced) << answer.body;
    EXPECT_EQ(answer.Header("Preference-Applied"), is_enforced ? "" : "respond-async");
    EXPECT_EQ(answer.Json().as_object().contains("pending_nodes"), !is_enforced);
  }
}

TEST(KeysRoutes, R2_AReadInFlightIsRejectedWhenItsKeyIsRevoked) {
  for (const std::string target : {"/api/v2/keys", "/api/v2/keys/self", "/api/v2/audit"}) {
    World fresh;
    const Answer own = fresh.Create(R"({"name":"own"})");
    const Answer refused = fresh.SendAnd({.target = target, .key = own.Text("key")}, [&] {
      key::Record record = *fresh.index().Find(*key::KeyId::Parse(own.Text("id")));
      record.revoked_at = fresh.clock().Now();
      record.version += 1;
      fresh.index().Put(record);
    });
    EXPECT_EQ(refused.status, 401) << target << refused.body;
    EXPECT_EQ(refused.code(), "revoked");
    EXPECT_EQ(refused.Header("WWW-Authenticate"), R"(Bearer realm="p402", error="invalid_token")");
  }
}

}  // namespace
}  // namespace p402::api
