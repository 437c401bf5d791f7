#include "api/testing/world.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace p402::api {
namespace {

using testing::Answer;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::World;

Answer Verify(World& world, const std::string& body) {
  return world.Post("/api/v2/keys/verify", body);
}
std::string Asked(const std::string& raw_key, const std::string& more = {}) {
  return "{\"key\":\"" + raw_key + "\"" + more + "}";
}

TEST(Verify, V1_AValidKeyWithEverythingKnownAboutIt) {
  World world;
  const Answer made = world.Create(
      R"({"name":"agent","scopes":["models:read"],"owner":"cust_1","metadata":{"plan":"pro"},)"
      R"("expires_at":"2027-01-01T00:00:00Z"})");
  const Answer answer =
      Verify(world, Asked(made.Text("key"), R"(,"scopes":["models:read"],"ip":"203.0.113.9")"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"valid":true,"code":"valid","key_id":")" + made.Text("id") +
                             R"(","name":"agent","mode":"live","scopes":["models:read"],)"
                             R"("owner":"cust_1","metadata":{"plan":"pro"},)"
                             R"("expires_at":"2027-01-01T00:00:00Z"})");
  EXPECT_EQ(answer.Header("Cache-Control"), "no-store");
}

TEST(Verify, V1_EveryCode) {
  World world;
  const auto create = [&](const std::string& body) { return world.Create(body); };
  const auto code = [&](const std::string& key, const std::string& more = {}) {
    const Answer answer = Verify(world, Asked(key, more));
    EXPECT_EQ(answer.status, 200);
    return answer.code();
  };
  const std::string plain = create(R"({"name":"k","scopes":["a"]})").Text("key");
  EXPECT_EQ(code(plain), "valid");
  EXPECT_EQ(code("nonsense"), "malformed");
  EXPECT_EQ(code(""), "malformed");
  EXPECT_EQ(code(plain, R"(,"scopes":["a","b"])"), "insufficient_scope");
  EXPECT_EQ(code(plain, R"(,"mode":"test")"), "wrong_mode");
  const std::string limited =
      create(R"({"name":"l","allowed_cidrs":["203.0.113.0/24"]})").Text("key");
  EXPECT_EQ(code(limited, R"(,"ip":"203.0.113.9")"), "valid");
  EXPECT_EQ(code(limited, R"(,"ip":"::ffff:203.0.113.9")"), "valid");
  EXPECT_EQ(code(limited, R"(,"ip":"203.0.114.9")"), "ip_not_allowed");
  EXPECT_EQ(code(limited), "ip_not_allowed") << "the caller's own address is not the key's";
  const std::string test = create(R"({"name":"t","mode":"test"})").Text("key");
  EXPECT_EQ(code(test), "valid");
  EXPECT_EQ(code(test, R"(,"mode":"live")"), "wrong_mode");
  const std::string stranger(world.Post("/api/v2/accounts", R"({"name":"Second"})")
                                 .Json()
                                 .at("key")
                                 .at("key")
                                 .as_string());
  EXPECT_EQ(code(stranger), "not_found") << "a key of another account";
}

TEST(Verify, A2_ATestKeyVerifiesTestKeysOnly) {
  World world;
  const std::string caller =
      world.Create(R"({"name":"c","mode":"test","scopes":["keys:verify"]})").Text("key");
  for (const std::string more : {"", R"(,"mode":"live")"}) {
    const Answer answer = world.Send({.method = "POST",
                                      .target = "/api/v2/keys/verify",
                                      .key = caller,
                                      .body = Asked(world.root_key(), more)});
    EXPECT_EQ(answer.code(), "wrong_mode");
  }
}

TEST(Verify, B_AWrongQuestionIsRefusedByNameAndWithoutTheKey) {
  World world;
  const std::pair<const char*, const char*> cases[] = {
      {R"({})", "key"},
      {R"({"key":5})", "key"},
      {R"({"key":null})", "key"},
      {R"({"key":"x","scopes":"a"})", "scopes"},
      {R"({"key":"x","scopes":["A"]})", "scopes"},
      {R"({"key":"x","ip":4})", "ip"},
      {R"({"key":"x","ip":"10.0.0.0/8"})", "ip"},
      {R"({"key":"x","mode":"prod"})", "mode"},
      {R"({"key":"x","scope":["a"]})", "scope"},
  };
  for (const auto& [body, field] : cases) {
    const Answer answer = Verify(world, body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(answer.Text("field"), field) << body;
  }
  const Answer twice =
      Verify(world, R"({"key":")" + world.root_key() + R"(","key":")" + world.root_key() + "\"}");
  EXPECT_EQ(twice.status, 400);
  EXPECT_THAT(twice.body, Not(HasSubstr(world.root_key())));
}

TEST(Verify, S4_AnswersAboutOtherKeysAreNotFailures) {
  World world({.throttle = {.failures_per_second = 0.001, .burst = 1}});
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Verify(world, Asked("nonsense")).status, 200);
  }
}

TEST(Verify, V4_WhatIsNotCurrentNeverSaysValid) {
  World world;
  world.feed().Stop();
  world.Run();
  const Answer answer = Verify(world, Asked(world.root_key()));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.code(), "not_ready");
}

TEST(Verify, L1_AValidDecisionIsShownAsAUse) {
  World world;
  const Answer made = world.Create(R"({"name":"used"})");
  const std::string target = "/api/v2/keys/" + made.Text("id");
  EXPECT_TRUE(world.Get(target).Json().at("last_used_at").is_null());
  Verify(world, Asked(made.Text("key")));
  EXPECT_EQ(world.Get(target).Text("last_used_at"), "2026-04-15T12:00:00Z");
}

}  // namespace
}  // namespace p402::api
