#include "api/json_out.h"

#include "gtest/gtest.h"
#include "index/index.h"

namespace p402::api {
namespace {

constexpr WallTime kNow{Millis(1'776'254'400'999)};  // 2026-04-15T12:00:00.999Z

key::KeyId IdOf(std::string_view text) {
  return key::KeyId::Parse(text).value_or(key::KeyId{});
}

key::Record Bare() {
  key::Record record;
  record.id = IdOf("key_01jx0000000000000000000000");
  record.prefix = "p402_live_a8f2bc";
  record.name = "agent \"v2\"";
  record.created_at = kNow;
  record.created_by = {.kind = key::ActorKind::kSystem, .id = "init"};
  return record;
}

key::Record Full() {
  key::Record record = Bare();
  record.mode = key::Mode::kTest;
  const std::vector<std::string> scopes = {"b", "a"};
  record.scopes = *key::ScopeSet::Parse(scopes);
  const std::vector<std::string> cidrs = {"10.0.0.0/8"};
  record.allowed_cidrs = *key::CidrSet::Parse(cidrs);
  record.owner = "cust_1";
  record.metadata = R"({"plan":"pro"})";
  record.expires_at = kNow + std::chrono::hours(1);
  record.revoked_at = kNow;
  record.revoke_reason = "stolen";
  record.rotated_from = IdOf("key_01jx0000000000000000000001");
  record.last_used_at = kNow;
  return record;
}

constexpr std::string_view kBareJson =
    R"({"id":"key_01jx0000000000000000000000","name":"agent \"v2\"","prefix":"p402_live_a8f2bc",)"
    R"("created_at":"2026-04-15T12:00:00Z","last_used_at":null,"status":"active","mode":"live",)"
    R"("scopes":[],"owner":null,"metadata":null,"allowed_cidrs":[],)"
    R"("created_by":{"kind":"system","id":"init"},"expires_at":null,"revoked_at":null,)"
    R"("revoke_reason":null,"rotated_from":null})";

constexpr std::string_view kFullJson =
    R"({"id":"key_01jx0000000000000000000000","name":"agent \"v2\"","prefix":"p402_live_a8f2bc",)"
    R"("created_at":"2026-04-15T12:00:00Z","last_used_at":"2026-04-15T12:00:00Z",)"
    R"("status":"revoked","mode":"test","scopes":["a","b"],"owner":"cust_1",)"
    R"("metadata":{"plan":"pro"},"allowed_cidrs":["10.0.0.0/8"],)"
    R"("created_by":{"kind":"system","id":"init"},"expires_at":"2026-04-15T13:00:00Z",)"
    R"("revoked_at":"2026-04-15T12:00:00Z","revoke_reason":"stolen",)"
    R"("rotated_from":"key_01jx0000000000000000000001"})";

TEST(JsonOut, A_TheKeyObjectFieldByField) {
  EXPECT_EQ(KeyJson(Bare(), kNow), kBareJson);
  EXPECT_EQ(KeyJson(Full(), kNow), kFullJson);
}

TEST(JsonOut, A_TheRawKeyStandsBehindTheName) {
  service::CreatedKey created{.record = Bare(), .raw_key = Secret(std::string("p402_live_x"))};
  created.enforcement = {.seq = 1, .is_enforced = true};
  created.enforcement.report = {.acknowledged = 1, .expired = 0, .took = Millis(7)};
  std::string expected(kBareJson);
  expected.insert(expected.find(",\"prefix\""), R"(,"key":"p402_live_x")");
  expected.pop_back();
  EXPECT_EQ(CreatedKeyJson(created, Answered::kEnforced, kNow),
            expected + R"(,"enforced":true,"nodes":{"acknowledged":1,"expired":0},"took_ms":7})");
}

TEST(JsonOut, R1_PendingNodesAreNamedOnlyWhileThereAreSome) {
  service::KeyResult result{.record = Bare()};
  result.enforcement.pending_nodes = {"n1", "n2"};
  const std::string text = UpdatedKeyJson(result, Answered::kCommitted, kNow);
  EXPECT_NE(text.find(R"("enforced":false,"nodes":{"acknowledged":0,"expired":0},)"
                      R"("pending_nodes":["n1","n2"],"took_ms":0})"),
            std::string::npos);
  EXPECT_EQ(UpdatedKeyJson(result, Answered::kEnforced, kNow).find("pending_nodes"),
            std::string::npos);
}

TEST(JsonOut, A5_ARevocation) {
  service::RevokeResult result{.record = Full()};
  result.cascaded = {IdOf("key_01jx0000000000000000000002")};
  result.enforcement.is_enforced = true;
  EXPECT_EQ(RevokedJson(result, Answered::kEnforced),
            R"({"id":"key_01jx0000000000000000000000","status":"revoked","enforced":true,)"
            R"("revoked_at":"2026-04-15T12:00:00Z","revoke_reason":"stolen",)"
            R"("cascaded":["key_01jx0000000000000000000002"],)"
            R"("nodes":{"acknowledged":0,"expired":0},"took_ms":0})");
}

TEST(JsonOut, A3_AList) {
  service::ListResult result;
  EXPECT_EQ(KeyListJson(result, kNow),
            R"({"keys":[],"next_cursor":null,"usage_complete_through":null})");
  result.keys = {Bare(), Full()};
  result.next_cursor = "c";
  result.usage_complete_through = kNow;
  EXPECT_EQ(KeyListJson(result, kNow),
            "{\"keys\":[" + std::string(kBareJson) + "," + std::string(kFullJson) +
                R"(],"next_cursor":"c","usage_complete_through":"2026-04-15T12:00:00Z"})");
}

TEST(JsonOut, S1_AuditRecordsAndVerdicts) {
  store::AuditRecord record{.number = 3,
                            .at = kNow,
                            .account = {},
                            .actor = {.kind = key::ActorKind::kKey, .id = "key_x"},
                            .action = "key.create",
                            .subject = "key_y",
                            .details = R"({"name":"x"})",
                            .ip = "192.0.2.1",
                            .request_id = "req_z"};
  record.hash[31] = 0xab;
  const std::string zeros(62, '0');
  EXPECT_EQ(AuditListJson({.records = {record}, .shows_chain = true}),
            R"({"records":[{"number":3,"at":"2026-04-15T12:00:00Z",)"
            R"("actor":{"kind":"key","id":"key_x"},"action":"key.create","subject":"key_y",)"
            R"("details":{"name":"x"},"ip":"192.0.2.1","request_id":"req_z","previous":")" +
                zeros + "00\",\"hash\":\"" + zeros + "ab\"}],\"next_cursor\":null}");
  EXPECT_EQ(AuditListJson({.records = {record}, .next_cursor = "0f"}),
            R"({"records":[{"at":"2026-04-15T12:00:00Z",)"
            R"("actor":{"kind":"key","id":"key_x"},"action":"key.create","subject":"key_y",)"
            R"("details":{"name":"x"},"ip":"192.0.2.1","request_id":"req_z"}],"next_cursor":"0f"})")
      << "A12: without its place in the chain";
  store::AuditVerdict verdict{.is_intact = true, .checked = 3, .first_number = 1};
  verdict.head = {.number = 3, .hash = record.hash};
  EXPECT_EQ(AuditVerdictJson(verdict),
            R"({"intact":true,"checked":3,"first_number":1,"head":{"number":3,"hash":")" + zeros +
                R"(ab"},"problem":null,"anchor_found":false})");
}

TEST(JsonOut, A12_Accounts) {
  const auto id = key::AccountId::Parse("acct_01jx0000000000000000000000");
  ASSERT_TRUE(id.has_value());
  const store::Account account{.id = *id, .name = "First", .is_first = true, .created_at = kNow};
  const std::vector<store::Account> accounts = {account};
  constexpr std::string_view kFields = R"({"id":"acct_01jx0000000000000000000000","name":"First",)"
                                       R"("created_at":"2026-04-15T12:00:00Z")";
  EXPECT_EQ(AccountListJson(accounts), "{\"accounts\":[" + std::string(kFields) + "}]}");
  service::CreatedAccount created;
  created.account = account;
  created.key.record = Bare();
  created.key.raw_key = Secret(std::string("p402_live_x"));
  const std::string text = CreatedAccountJson(created, kNow);
  EXPECT_TRUE(text.starts_with(std::string(kFields) + R"(,"key":{"id":"key_)"));
  EXPECT_NE(text.find(R"("name":"agent \"v2\"","key":"p402_live_x","prefix")"), std::string::npos);
}

std::string DecisionJson(key::Decision decision, const index::View& key) {
  std::string json(DecisionJsonBound(key), '\0');
  Pen pen(json);
  WriteDecisionJson(pen, decision, key);
  json.resize(pen.size());
  return json;
}

TEST(JsonOut, V1_DecisionsSayNothingMoreThanTheyMust) {
  index::Index index("p402");
  const key::Record record = Bare();
  index.Put(record);
  const auto bare = index.Recheck(record.digest, {}, {});
  EXPECT_EQ(DecisionJson(key::Decision::kRevoked, bare.key), R"({"valid":false,"code":"revoked"})");
  EXPECT_EQ(DecisionJson(key::Decision::kValid, bare.key),
            R"({"valid":true,"code":"valid","key_id":"key_01jx0000000000000000000000",)"
            R"("name":"agent \"v2\"","mode":"live","scopes":[],"owner":null,"metadata":null,)"
            R"("expires_at":null})");
  EXPECT_EQ(DecisionJson(key::Decision::kValid, {}), R"({"valid":false,"code":"not_found"})")
      << "V4: never valid without a key";
}

// What needs the most room: texts of nothing but escapes, and scopes of one character each.
TEST(JsonOut, V1_EveryValidKeyFitsTheBound) {
  index::Index index("p402");
  key::Record record = Bare();
  record.name = std::string(limits::kNameCharacters, '"');
  record.owner = std::string(limits::kOwnerBytes, '\\');
  std::vector<std::string> scopes;
  for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyz0123456789_.-")) {
    scopes.emplace_back(1, c);
  }
  record.scopes = *key::ScopeSet::Parse(scopes);
  record.expires_at = WallTime(Millis(1'776'254'400'999));
  index.Put(record);
  const auto answer = index.Recheck(record.digest, {}, {});
  const std::string json = DecisionJson(key::Decision::kValid, answer.key);
  EXPECT_GT(json.size(), 2 * (record.name.size() + record.owner.size()) + 4 * scopes.size());
  EXPECT_LE(json.size(), DecisionJsonBound(answer.key));
}

TEST(JsonOut, V1_AValidKeyIsShownWhole) {
  index::Index index("p402");
  key::Record record = Bare();
  record.mode = key::Mode::kTest;
  record.scopes = *key::ScopeSet::ParseText("b:c a");
  record.owner = "Ünal & \"Co\"";
  record.metadata = R"({"a":[1,null]})";
  record.expires_at = WallTime(Millis(1'776'254'400'999));
  index.Put(record);
  const auto answer = index.Recheck(record.digest, {}, {});
  EXPECT_EQ(DecisionJson(key::Decision::kValid, answer.key),
            R"({"valid":true,"code":"valid","key_id":"key_01jx0000000000000000000000",)"
            R"("name":"agent \"v2\"","mode":"test","scopes":["a","b:c"],)"
            R"("owner":"Ünal & \"Co\"","metadata":{"a":[1,null]},)"
            R"("expires_at":"2026-04-15T12:00:00Z"})");
}

}  // namespace
}  // namespace p402::api
