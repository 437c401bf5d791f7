#include "api/bearer.h"

#include "api/testing/world.h"
#include "base/limits.h"
#include "gtest/gtest.h"

namespace p402::api {
namespace {

using testing::Ask;
using testing::Headers;
using testing::Message;

struct Read {
  bool is_refused = false;
  bool is_present = false;
  std::string token = {};
};

Read ReadFrom(const Headers& headers, ApiKeyHeader api_key_header) {
  const Message message(Ask{.headers = headers});
  const auto presented = ReadPresented(message.request, api_key_header);
  if (!presented) return {.is_refused = true};
  return {.is_present = presented->is_present, .token = std::string(presented->token)};
}
Read OnManagement(const Headers& headers) {
  return ReadFrom(headers, ApiKeyHeader::kIgnored);
}
Read OnAuthz(const Headers& headers) {
  return ReadFrom(headers, ApiKeyHeader::kAccepted);
}

TEST(Bearer, V2_TheSchemeIsReadWithoutCase) {
  for (const std::string scheme : {"Bearer", "bearer", "BEARER", "bEaReR"}) {
    EXPECT_EQ(OnManagement({{"Authorization", scheme + " abc"}}).token, "abc");
  }
  EXPECT_EQ(OnManagement({{"aUTHORIZATION", "Bearer   abc"}}).token, "abc");
}

TEST(Bearer, B_NothingIsNoCredential) {
  EXPECT_FALSE(OnManagement({}).is_present);
  EXPECT_FALSE(OnManagement({{"Cookie", "a=b"}}).is_present);
}

TEST(Bearer, B_AnotherSchemeIsAFailedCredential) {
  for (const std::string value : {"Basic dTpw", "Bearer", "Bearerx abc", "abc", ""}) {
    const Read read = OnManagement({{"Authorization", value}});
    EXPECT_TRUE(read.is_present) << value;
    EXPECT_EQ(read.token, "") << value;
  }
}

TEST(Bearer, B_TwoWaysAtOnceAreRefused) {
  const Headers both = {{"Authorization", "Bearer a"}, {"X-API-Key", "a"}};
  EXPECT_TRUE(OnManagement(both).is_refused);
  EXPECT_TRUE(OnAuthz(both).is_refused);
  EXPECT_TRUE(OnAuthz({{"Authorization", "Basic a"}, {"X-API-Key", "a"}}).is_refused);
  const Headers twice = {{"Authorization", "Bearer a"}, {"authorization", "Bearer a"}};
  EXPECT_TRUE(OnManagement(twice).is_refused);
  EXPECT_TRUE(OnAuthz(twice).is_refused);
  EXPECT_TRUE(OnAuthz({{"X-API-Key", "a"}, {"x-api-key", "a"}}).is_refused);
}

TEST(Bearer, V2_XApiKeyIsForAuthzOnly) {
  EXPECT_EQ(OnAuthz({{"x-api-KEY", "abc"}}).token, "abc");
  EXPECT_FALSE(OnManagement({{"X-API-Key", "abc"}}).is_present);
}

std::optional<std::string> IdempotencyKey(const Headers& headers) {
  const Message message(Ask{.headers = headers});
  const auto key = ReadIdempotencyKey(message.request);
  return key ? key->value_or("(none)") : std::optional<std::string>();
}

TEST(Bearer, A10_IdempotencyKeyBareAndQuoted) {
  EXPECT_EQ(IdempotencyKey({}), "(none)");
  EXPECT_EQ(IdempotencyKey({{"Idempotency-Key", "abc"}}), "abc");
  EXPECT_EQ(IdempotencyKey({{"idempotency-key", "\"abc\""}}), "abc");
  EXPECT_EQ(IdempotencyKey({{"Idempotency-Key", R"("a\"b\\c")"}}), R"(a"b\c)");
}

TEST(Bearer, A10_IdempotencyKeyLimits) {
  const std::string longest(limits::kIdempotencyKeyBytes, 'k');
  EXPECT_EQ(IdempotencyKey({{"Idempotency-Key", longest}}), longest);
  EXPECT_EQ(IdempotencyKey({{"Idempotency-Key", "\"" + longest + "\""}}), longest);
  for (const std::string& bad :
       {longest + "k", std::string(), std::string("\"\""), std::string("\"a"),
        std::string("\"a\"b\""), std::string(R"("a\n")"), std::string(R"("a\")"), std::string("\""),
        std::string("a\tb"), std::string("ä")}) {
    EXPECT_EQ(IdempotencyKey({{"Idempotency-Key", bad}}), std::nullopt) << bad;
  }
  EXPECT_EQ(IdempotencyKey({{"Idempotency-Key", "a"}, {"Idempotency-Key", "a"}}), std::nullopt);
}

bool Prefers(const Headers& headers) {
  const Message message(Ask{.headers = headers});
  return PrefersAsync(message.request);
}

TEST(Bearer, R1_PreferIsAList) {
  EXPECT_TRUE(Prefers({{"Prefer", "respond-async"}}));
  EXPECT_TRUE(Prefers({{"prefer", "wait=10, Respond-Async;x=1"}}));
  EXPECT_TRUE(Prefers({{"Prefer", "wait=10"}, {"Prefer", "respond-async"}}));
  EXPECT_TRUE(Prefers({{"Prefer", R"(foo="a,b", respond-async)"}}));
  EXPECT_FALSE(Prefers({}));
  EXPECT_FALSE(Prefers({{"Prefer", "respond-asynchronously"}}));
  EXPECT_FALSE(Prefers({{"Prefer", R"(foo="a, respond-async, b")"}}));
}

bool IsTakenAsJson(const std::string& type, bool is_patch = false) {
  const Message message(Ask{.headers = {{"Content-Type", type}}});
  return CheckContentType(message.request, is_patch).has_value();
}

TEST(Bearer, B_ContentTypes) {
  for (const std::string good :
       {"application/json", "Application/JSON", "application/json; charset=utf-8",
        "application/json;charset=UTF-8", "application/json ; charset=\"utf-8\""}) {
    EXPECT_TRUE(IsTakenAsJson(good)) << good;
  }
  for (const std::string bad :
       {"text/plain", "application/jsonx", "text/json", "", "application/json; charset=latin1",
        "application/json; boundary=x", "application/json, text/plain",
        "application/json;"
        "charset=utf-8;q=1",
        "application/merge-patch+json"}) {
    EXPECT_FALSE(IsTakenAsJson(bad)) << bad;
  }
  EXPECT_TRUE(IsTakenAsJson("application/merge-patch+json", /*is_patch=*/true));
  EXPECT_TRUE(IsTakenAsJson("application/json", /*is_patch=*/true));
}

TEST(Bearer, B_CodedBodiesAreRefused) {
  const Message coded(
      Ask{.headers = {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}}});
  EXPECT_FALSE(CheckContentType(coded.request, false).has_value());
  const Message twice(
      Ask{.headers = {{"Content-Type", "application/json"}, {"Content-Type", "text/plain"}}});
  EXPECT_FALSE(CheckContentType(twice.request, false).has_value());
  const Message none(Ask{});
  EXPECT_FALSE(CheckContentType(none.request, false).has_value());
}

}  // namespace
}  // namespace p402::api
