#include "key/digest.h"
#include "key/raw_key.h"
#include "service/service_test.h"

namespace p402::service {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

class CreateTest : public ServiceTest {};

TEST_F(CreateTest, R5_WorksFromTheMomentItIsAnswered) {
  auto created = Create(root_, {.name = "production-agent-v2"});
  ASSERT_EQ(Say(created), "ok");
  EXPECT_TRUE(created->enforcement.is_enforced);
  EXPECT_EQ(created->enforcement.report.acknowledged, 1);
  EXPECT_EQ(Ask(created->raw_key.Reveal()), "valid");
}

TEST_F(CreateTest, A1_DefaultsAreTheCallers) {
  const auto caller = PlantScopes({"keys:write", "models:read"});
  auto created = Create(caller, {.name = "n"});
  ASSERT_EQ(Say(created), "ok");
  const key::Record& record = created->record;
  EXPECT_EQ(record.scopes, caller.record->scopes);
  EXPECT_EQ(record.mode, key::Mode::kLive);
  EXPECT_EQ(record.account, account_);
  EXPECT_EQ(record.created_by, caller.actor());
  EXPECT_EQ(record.created_at, clock_.Now());
  EXPECT_FALSE(record.expires_at) << "K5";
  EXPECT_EQ(record, Stored(record.id)) << "what is answered is what is stored, version and all";
  EXPECT_EQ(record.prefix, created->raw_key.Reveal().substr(0, 16));
  EXPECT_EQ(record.digest, key::DigestOf(created->raw_key.Reveal()));
}

TEST_F(CreateTest, A1_AKeyForAnOwnerHasNoScopesUnlessTheyAreNamed) {
  EXPECT_TRUE(Create(root_, {.name = "n", .owner = "customer"})->record.scopes.empty());
  auto named = Create(
      root_, {.name = "n", .scopes = std::vector<std::string>{"models:read"}, .owner = "customer"});
  EXPECT_EQ(named->record.scopes, Scopes({"models:read"}));
}

TEST_F(CreateTest, A1_EverySettingIsKept) {
  CreateRequest request{.name = "n",
                        .mode = key::Mode::kTest,
                        .scopes = std::vector<std::string>{"b", "a"},
                        .expires_at = clock_.Now() + Millis(1),
                        .metadata = R"({"a":1})",
                        .owner = "o",
                        .allowed_cidrs = {"10.0.0.0/8"}};
  auto created = Create(root_, request);
  ASSERT_EQ(Say(created), "ok");
  EXPECT_TRUE(created->raw_key.Reveal().starts_with("p402_test_"));
  const key::Record record = Stored(created->record.id);
  EXPECT_EQ(record.mode, key::Mode::kTest);
  EXPECT_EQ(record.scopes, Scopes({"a", "b"}));
  EXPECT_EQ(record.expires_at, clock_.Now() + Millis(1));
  EXPECT_EQ(record.metadata, R"({"a":1})");
  EXPECT_EQ(record.owner, "o");
  EXPECT_EQ(record.allowed_cidrs, Cidrs({"10.0.0.0/8"}));
}

std::string Times(std::string_view text, size_t count) {
  std::string out;
  while (count-- > 0) out += text;
  return out;
}

TEST_F(CreateTest, A1_LimitsAtNAndOneMore) {
  using Request = CreateRequest;
  auto say = [&](Request request) { return Say(Create(root_, std::move(request))); };
  EXPECT_EQ(say({.name = Times("\xC3\xA4", 100)}), "ok") << "characters, not bytes";
  EXPECT_EQ(say({.name = Times("\xC3\xA4", 101)}), "invalid/name");
  EXPECT_EQ(say({.name = ""}), "invalid/name");
  EXPECT_EQ(say({.name = "a\nb"}), "invalid/name");
  EXPECT_EQ(say({.name = "a\xC2\x85"}), "invalid/name") << "C1";
  EXPECT_EQ(say({.name = "\xFF"}), "invalid/name");
  EXPECT_EQ(say({.name = "n", .owner = Times("o", 255)}), "ok");
  EXPECT_EQ(say({.name = "n", .owner = Times("o", 256)}), "invalid/owner");
  EXPECT_EQ(say({.name = "n", .owner = "a\tb"}), "invalid/owner");
  EXPECT_EQ(say({.name = "n", .owner = "\xFF"}), "invalid/owner");
  EXPECT_EQ(say({.name = "n", .metadata = "{\"" + Times("m", 4090) + "\":1"}), "ok");
  EXPECT_EQ(say({.name = "n", .metadata = Times("m", 4096)}), "ok");
  EXPECT_EQ(say({.name = "n", .metadata = Times("m", 4097)}), "invalid/metadata");
  EXPECT_EQ(say({.name = "n", .idempotency_key = Times("i", 255)}), "ok");
  EXPECT_EQ(say({.name = "n", .idempotency_key = Times("i", 256)}), "invalid/Idempotency-Key");
  EXPECT_EQ(say({.name = "n", .idempotency_key = ""}), "invalid/Idempotency-Key");
  EXPECT_EQ(say({.name = "n", .scopes = std::vector<std::string>{Times("s", 64)}}), "ok");
  EXPECT_EQ(say({.name = "n", .scopes = std::vector<std::string>{Times("s", 65)}}),
            "invalid/scopes");
  EXPECT_EQ(say({.name = "n", .allowed_cidrs = {"10.0.0.1/8"}}), "invalid/allowed_cidrs");
  EXPECT_EQ(say({.name = "n", .expires_at = clock_.Now() + Millis(1)}), "ok");
  EXPECT_EQ(say({.name = "n", .expires_at = clock_.Now()}), "invalid/expires_at");
}

TEST_F(CreateTest, A1_TheLimitIsNamedToTheClient) {
  auto refused = Create(root_, {.name = Times("a", 101)});
  EXPECT_THAT(refused.error().public_message, HasSubstr("100"));
}

TEST_F(CreateTest, NeedsKeysWrite) {
  const auto caller = PlantScopes({"keys:read"});
  EXPECT_EQ(Say(Create(caller, {.name = "n"})), "denied/insufficient_scope/keys:write");
}

TEST_F(CreateTest, A2_ATestKeyMakesATestKeyByDefault) {
  const auto caller = Plant({.mode = key::Mode::kTest, .scopes = Scopes({"*"})});
  EXPECT_EQ(Create(caller, {.name = "n"})->record.mode, key::Mode::kTest);
  EXPECT_EQ(Say(Create(caller, {.name = "n", .mode = key::Mode::kLive})), "denied/escalation/mode");
}

TEST_F(CreateTest, A12_AccountsWriteStaysInTheFirstAccount) {
  const std::vector<std::string> scopes{"accounts:write"};
  EXPECT_EQ(Say(Create(root_, {.name = "n", .scopes = scopes})), "ok");
  const auto other = Plant({.account = OtherAccount(), .scopes = Scopes({"*"})});
  EXPECT_EQ(Say(Create(other, {.name = "n", .scopes = scopes})), "denied/escalation/scopes");
  EXPECT_EQ(Say(Create(other, {.name = "n"})), "ok");
}

TEST_F(CreateTest, S1_TheTrailSaysWhatAndNeverTheSecret) {
  auto created = Create(root_, {.name = "n", .metadata = R"({"m":"private"})"});
  const auto trail = Trail();
  const auto& record = trail.front();
  EXPECT_EQ(record.action, "key.create");
  EXPECT_EQ(record.subject, created->record.id.ToString());
  EXPECT_EQ(record.actor, root_.actor());
  EXPECT_EQ(record.ip, "10.1.2.3");
  EXPECT_EQ(record.request_id, "req-1");
  EXPECT_EQ(record.details,
            R"({"status":"active","mode":"live","scopes":["*"],"allowed_cidrs":[]})");
}

TEST_F(CreateTest, K4_TheRawKeyIsNowhereElse) {
  auto created = Create(root_, {.name = "n"});
  const std::string raw_key(created->raw_key.Reveal());
  const std::string random_part = raw_key.substr(16);
  const std::string digest = key::ToHex(created->record.digest);
  ASSERT_EQ(Say(Rotate(root_, created->record.id)), "ok");
  ASSERT_EQ(Say(Revoke(root_, created->record.id)), "ok");
  for (const auto& text : {random_part, digest}) {
    EXPECT_THAT(log_.Lines(), Each(Not(HasSubstr(text))));
    EXPECT_THAT(metrics_->Expose(), Not(HasSubstr(text)));
    for (const auto& record : Trail()) {
      EXPECT_THAT(record.details + record.subject + record.request_id, Not(HasSubstr(text)));
    }
  }
}

class IdempotencyTest : public ServiceTest {
 protected:
  CreateRequest Request(std::string key = "retry-1", uint8_t body = 1) {
    CreateRequest request{.name = "n", .idempotency_key = std::move(key)};
    request.request_digest[0] = body;
    return request;
  }
};

TEST_F(IdempotencyTest, A10_ARetryNamesTheKeyAndCreatesNothing) {
  auto first = Create(root_, Request());
  ASSERT_EQ(Say(first), "ok");
  const int64_t end = LogEnd();
  EXPECT_EQ(Say(Create(root_, Request())),
            "conflict/already_created/" + first->record.id.ToString());
  EXPECT_EQ(LogEnd(), end);
}

TEST_F(IdempotencyTest, A10_AnotherBodyIsAMismatch) {
  ASSERT_EQ(Say(Create(root_, Request())), "ok");
  EXPECT_EQ(Say(Create(root_, Request("retry-1", 2))), "conflict/idempotency_mismatch");
  EXPECT_EQ(Say(Create(root_, Request("retry-2", 2))), "ok");
}

TEST_F(IdempotencyTest, A10_EachCallerHasItsOwn) {
  ASSERT_EQ(Say(Create(root_, Request())), "ok");
  EXPECT_EQ(Say(Create(PlantScopes({"*"}), Request())), "ok");
}

TEST_F(IdempotencyTest, A10_IsKeptFor24Hours) {
  auto first = Create(root_, Request());
  clock_.Advance(limits::kIdempotencyRetention - Millis(1));
  EXPECT_EQ(Say(Create(root_, Request())),
            "conflict/already_created/" + first->record.id.ToString());
  clock_.Advance(Millis(1));
  auto second = Create(root_, Request());
  ASSERT_EQ(Say(second), "ok");
  EXPECT_NE(second->record.id, first->record.id);
}

TEST_F(IdempotencyTest, A10_ARetryAfterTheExpiryStillNamesTheKey) {
  auto request = Request();
  request.expires_at = clock_.Now() + Millis(1000);
  auto first = Create(root_, request);
  clock_.Advance(Millis(2000));
  EXPECT_EQ(Say(Create(root_, request)), "conflict/already_created/" + first->record.id.ToString());
}

TEST_F(IdempotencyTest, A10_ARetryAfterALostAnswerFindsTheKey) {
  store_.Inject(Call::kCommit, Fault::kLoseAnswer);
  EXPECT_EQ(Say(Create(root_, Request())), "unavailable");
  auto retried = Create(root_, Request());
  ASSERT_EQ(retried.error().reason, "already_created");
  const auto id = key::KeyId::Parse(retried.error().field);
  ASSERT_TRUE(id);
  EXPECT_EQ(Say(Rotate(root_, *id)), "ok") << "as the answer advises";
}

TEST_F(IdempotencyTest, A10_ARefusedRequestLeavesNoTrace) {
  auto request = Request();
  request.expires_at = clock_.Now();
  EXPECT_EQ(Say(Create(root_, request)), "invalid/expires_at");
  EXPECT_EQ(Say(Create(root_, Request())), "ok");
}

}  // namespace
}  // namespace p402::service
