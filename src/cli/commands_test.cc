#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/argv_guard.h"
#include "cli/testing/fake_process.h"

namespace p402::cli {
namespace {

using ::testing::AllOf;
using testing::FakeProcess;
using ::testing::HasSubstr;
using testing::kKeyId;
using testing::kRawKey;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kKeyObject =
    R"({"id":"key_01jx0000000000000000000000","name":"ci\u001b[31m","prefix":"p402_live_012345",)"
    R"("created_at":"2026-04-15T11:57:00Z","last_used_at":null,"status":"active","mode":"live",)"
    R"("scopes":["a","b:c"],"owner":null,"metadata":{"x":1},"allowed_cidrs":[],)"
    R"("created_by":{"kind":"key","id":"key_1"},"expires_at":null,"revoked_at":null)";
const std::string kNewKey = R"({"id":"key_01jx0000000000000000000000","name":"ci","key":")" +
                            std::string(kRawKey) +
                            R"(","enforced":true,"nodes":{"acknowledged":1,"expired":0}})";

std::string KeyWith(const std::string& more) {
  return kKeyObject + more + "}";
}
std::string ListOf(const std::string& keys, const std::string& next = "null") {
  return "{\"keys\":[" + keys + "],\"next_cursor\":" + next +
         ",\"usage_complete_through\":\"2026-04-15T12:00:00Z\"}";
}

TEST(KeysCreate, C3_APipeGetsTheRawKeyAlone) {
  FakeProcess process;
  process.Answer(201, kNewKey);
  EXPECT_EQ(process.Run("keys create ci"), kDone);
  EXPECT_EQ(process.console.out, kRawKey);
  EXPECT_THAT(process.console.err, AllOf(HasSubstr("only time"), Not(HasSubstr(kRawKey))));
  ASSERT_EQ(process.sent.size(), 1U);
  EXPECT_EQ(process.sent[0].method, "POST");
  EXPECT_EQ(process.sent[0].url, "http://127.0.0.1:4020/api/v2/keys");
  EXPECT_EQ(process.sent[0].bearer, kRawKey);
  EXPECT_EQ(process.sent[0].body, R"({"name":"ci"})");
  EXPECT_EQ(process.sent[0].headers["Content-Type"], "application/json");
}

TEST(KeysCreate, C3_ATerminalGetsALineOfItsOwn) {
  FakeProcess process;
  process.console.is_out_terminal = true;
  process.Answer(201, kNewKey);
  EXPECT_EQ(process.Run("keys create ci"), kDone);
  EXPECT_EQ(process.console.out, std::string(kRawKey) + "\n");
}

TEST(KeysCreate, C3_JsonIsTheServersAnswer) {
  FakeProcess process;
  process.Answer(201, kNewKey + "\n");
  EXPECT_EQ(process.Run("keys create ci --json"), kDone);
  EXPECT_EQ(process.console.out, kNewKey + "\n");
  EXPECT_EQ(process.console.err, "");
}

TEST(KeysCreate, A1_EveryFlagBecomesItsField) {
  FakeProcess process;
  process.Answer(201, kNewKey);
  const auto code =
      process.Run({"keys", "create", "full", "--mode", "test", "--scope", "a", "--scope", "b:c,d",
                   "--owner", "cust 1", "--metadata", R"({"plan":"pro"})", "--expires-in", "24h",
                   "--allowed-cidr", "10.0.0.0/8", "--idempotency-key", "once"});
  EXPECT_EQ(code, kDone);
  ASSERT_EQ(process.sent.size(), 1U);
  EXPECT_EQ(process.sent[0].body,
            R"({"name":"full","mode":"test","scopes":["a","b:c","d"],"owner":"cust 1",)"
            R"("metadata":{"plan":"pro"},"expires_at":"2026-04-16T12:00:00Z",)"
            R"("allowed_cidrs":["10.0.0.0/8"]})");
  EXPECT_EQ(process.sent[0].headers["Idempotency-Key"], "once");
}

TEST(KeysCreate, C3_WrongUsageSendsNothing) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"keys", "create"},
           {"keys", "create", "x", "--mode", "prod"},
           {"keys", "create", "x", "--metadata", "[1]"},
           {"keys", "create", "x", "--metadata", "{"},
           {"keys", "create", "x", "--expires-at", "tomorrow"},
           {"keys", "create", "x", "--expires-in", "soon"},
           {"keys", "create", "x", "--expires-in", "1d", "--expires-at", "never"},
           {"keys", "create", "x", "--nonsense"},
           {"keys", "create", "x", "y"},
           {"keys"},
           {}}) {
    FakeProcess process;
    EXPECT_EQ(process.Run(words), kUsage);
    EXPECT_TRUE(process.sent.empty());
  }
}

TEST(KeysCreate, K4_ALostRawKeyIsSaid) {
  FakeProcess process;
  process.console.is_good = false;
  process.Answer(201, kNewKey);
  EXPECT_EQ(process.Run("keys create ci"), kRefused);
  EXPECT_THAT(process.console.err, HasSubstr("p402 keys rotate " + std::string(kKeyId)));
}

TEST(KeysList, C3_TabsInAPipe) {
  FakeProcess process;
  process.Answer(200, ListOf(KeyWith("")));
  EXPECT_EQ(process.Run("keys list"), kDone);
  EXPECT_EQ(
      process.console.out,
      std::string(kKeyId) + "\tci�[31m\tp402_live_012345\tactive\t-\t2026-04-15T11:57:00Z\t-\n");
}

TEST(KeysList, C3_ATableWithColourAndRelativeTimesOnATerminal) {
  FakeProcess process;
  process.console.is_out_terminal = true;
  process.Answer(200, ListOf(KeyWith("")));
  EXPECT_EQ(process.Run("keys list"), kDone);
  EXPECT_THAT(process.console.out, AllOf(HasSubstr("LAST USED"), HasSubstr("\033[32mactive"),
                                         HasSubstr("3 minutes ago"), HasSubstr("never")));
  process.environment["NO_COLOR"] = "1";
  process.console.out.clear();
  process.Answer(200, ListOf(KeyWith("")));
  EXPECT_EQ(process.Run("keys list"), kDone);
  EXPECT_THAT(process.console.out, AllOf(HasSubstr("active"), Not(HasSubstr("\033"))));
}

TEST(KeysList, A3_FiltersAreEncoded) {
  FakeProcess process;
  process.Answer(200, ListOf(""));
  const auto code =
      process.Run({"keys",         "list",        "--status",         "active",
                   "--mode",       "live",        "--owner",          "a&b=c",
                   "--prefix",     "p402_live_a", "--name",           "x y",
                   "--unused-for", "90d",         "--expires-before", "2027-01-01T00:00:00Z",
                   "--limit",      "7",           "--cursor",         "c+/="});
  EXPECT_EQ(code, kDone);
  EXPECT_EQ(process.sent[0].url,
            "http://127.0.0.1:4020/api/v2/keys?status=active&mode=live&owner=a%26b%3Dc&prefix=p402_"
            "live_a&name=x%20y&unused_for=90d&expires_before=2027-01-01T00%3A00%3A00Z&limit=7&"
            "cursor=c%2B%2F%3D");
}

TEST(KeysList, A3_AllFollowsPagesIntoOneList) {
  FakeProcess process;
  process.Answer(200, ListOf(R"({"id":"a"})", "\"two\""));
  process.Answer(200, ListOf(R"({"id":"b"})", "\"three\""));
  process.Answer(200, ListOf(R"({"id":"c"})"));
  EXPECT_EQ(process.Run("keys list --all --json"), kDone);
  ASSERT_EQ(process.sent.size(), 3U);
  EXPECT_THAT(process.sent[1].url, HasSubstr("cursor=two"));
  EXPECT_EQ(process.console.out, R"({"keys":[{"id":"a"},{"id":"b"},{"id":"c"}],"next_cursor":null,)"
                                 R"("usage_complete_through":"2026-04-15T12:00:00Z"})"
                                 "\n");
}

TEST(KeysList, A3_AServerThatNeverEndsIsNotFollowed) {
  FakeProcess process;
  process.Answer(200, ListOf(R"({"id":"a"})", "\"same\""));
  process.Answer(200, ListOf(R"({"id":"b"})", "\"same\""));
  EXPECT_EQ(process.Run("keys list --all"), kDone);
  EXPECT_EQ(process.sent.size(), 2U);
}

TEST(KeysGet, C3_ShowsTheFields) {
  FakeProcess process;
  process.Answer(200, KeyWith(""));
  EXPECT_EQ(process.Run("keys get " + std::string(kKeyId)), kDone);
  EXPECT_THAT(process.console.out,
              AllOf(HasSubstr("scopes\ta b:c\n"), HasSubstr("metadata\t{\"x\":1}\n"),
                    HasSubstr("created_by\tkey key_1\n"), Not(HasSubstr("revoked_at"))));
}

TEST(KeysGet, C3_AnIdNeverBecomesAnotherPath) {
  for (const char* id : {"../accounts", "key_01jx", "key_01jx0000000000000000000000/rotate", "",
                         "acct_01jx0000000000000000000000"}) {
    FakeProcess process;
    EXPECT_EQ(process.Run({"keys", "get", id}), kUsage) << id;
    EXPECT_TRUE(process.sent.empty());
  }
  FakeProcess process;
  process.Answer(200, KeyWith(""));
  EXPECT_EQ(process.Run("keys get self"), kDone);
  EXPECT_THAT(process.sent[0].url, ::testing::EndsWith("/api/v2/keys/self"));
}

TEST(KeysUpdate, A4_OnlyWhatWasNamedIsSent) {
  FakeProcess process;
  process.Answer(200, KeyWith(""));
  const std::string start = "keys update " + std::string(kKeyId);
  EXPECT_EQ(process.Run(start + " --name renamed --disable --no-wait"), kDone);
  EXPECT_EQ(process.sent[0].method, "PATCH");
  EXPECT_EQ(process.sent[0].body, R"({"name":"renamed","disabled":true})");
  EXPECT_EQ(process.sent[0].headers["Prefer"], "respond-async");

  process.Answer(200, KeyWith(""));
  EXPECT_EQ(process.Run({"keys", "update", std::string(kKeyId), "--enable", "--expires-at", "never",
                         "--owner", "", "--scopes", "", "--metadata", ""}),
            kDone);
  EXPECT_EQ(process.sent[1].body,
            R"({"disabled":false,"scopes":[],"owner":null,"metadata":null,"expires_at":null})");
  EXPECT_EQ(process.sent[1].headers.count("Prefer"), 0U);

  EXPECT_EQ(process.Run(start), kUsage);
  EXPECT_EQ(process.Run(start + " --enable --disable"), kUsage);
}

TEST(KeysRevoke, R1_SaysWhenItIsEnforced) {
  FakeProcess process;
  process.console.is_out_terminal = true;
  process.Answer(200, R"({"id":"key_1","status":"revoked","enforced":true,"cascaded":["key_2"],)"
                      R"("nodes":{"acknowledged":1,"expired":0},"took_ms":3})");
  EXPECT_EQ(process.Run("keys revoke " + std::string(kKeyId) + " --reason leak --cascade --yes"),
            kDone);
  EXPECT_EQ(process.sent[0].method, "DELETE");
  EXPECT_THAT(process.sent[0].url, ::testing::EndsWith(std::string(kKeyId) + "?cascade=true"));
  EXPECT_EQ(process.sent[0].body, R"({"reason":"leak"})");
  EXPECT_EQ(process.console.out,
            "Revoked key_1: no node accepts it (3 ms)\nand 1 that came from it\n");
}

TEST(KeysRevoke, R1_SaysWhichNodesHaveNotObeyed) {
  FakeProcess process;
  process.Answer(202, R"({"id":"key_1","status":"revoked","enforced":false,"cascaded":[],)"
                      R"("pending_nodes":["n2","n3"]})");
  EXPECT_EQ(process.Run("keys revoke " + std::string(kKeyId) + " --no-wait --yes"), kDone);
  EXPECT_EQ(process.console.out, "key_1\trevoked\n");
  EXPECT_THAT(process.console.err, HasSubstr("n2, n3"));
}

TEST(KeysRevoke, C3_AsksOnATerminal) {
  FakeProcess process;
  process.console.is_in_terminal = true;
  const std::string words = "keys revoke " + std::string(kKeyId);
  EXPECT_EQ(process.Run(words), kRefused);
  EXPECT_TRUE(process.sent.empty());
  EXPECT_THAT(process.console.err, HasSubstr("[y/N]"));

  process.console.confirms = true;
  process.Answer(200, R"({"id":"key_1","enforced":true})");
  EXPECT_EQ(process.Run(words), kDone);

  process.console.confirms = false;
  process.Answer(200, R"({"id":"key_1","enforced":true})");
  EXPECT_EQ(process.Run(words + " --yes"), kDone);
}

TEST(KeysRevoke, C3_NothingFinalWithoutATerminalOrYes) {
  FakeProcess process;
  const std::string revoke = "keys revoke " + std::string(kKeyId);
  for (const auto& words : {revoke, std::string("audit prune --older-than 90d")}) {
    process.console.err.clear();
    EXPECT_EQ(process.Run(words), kUsage);
    EXPECT_TRUE(process.sent.empty());
    EXPECT_THAT(process.console.err, AllOf(HasSubstr("--yes"), Not(HasSubstr("[y/N]"))));
  }
}

TEST(KeysRevoke, A11_SelfIsTheKeyThatAsks) {
  const std::string id(kKeyId);
  for (const auto& [words, method] :
       {std::pair("keys revoke self --yes", "DELETE"), std::pair("keys rotate self", "POST"),
        std::pair("keys update self --name x", "PATCH")}) {
    FakeProcess process;
    process.Answer(200, KeyWith(""));
    process.Answer(200, R"({"id":"key_1","enforced":true,"key":"x"})");
    EXPECT_EQ(process.Run(words), kDone) << words;
    ASSERT_EQ(process.sent.size(), 2U) << words;
    EXPECT_THAT(process.sent[0].url, ::testing::EndsWith("/api/v2/keys/self"));
    EXPECT_EQ(process.sent[1].method, method);
    EXPECT_THAT(process.sent[1].url, HasSubstr("/api/v2/keys/" + id));
  }
}

TEST(KeysRevoke, A11_SelfIsNamedInTheQuestion) {
  FakeProcess process;
  process.console.is_in_terminal = true;
  process.Answer(200, KeyWith(""));
  EXPECT_EQ(process.Run("keys revoke self"), kRefused);
  EXPECT_EQ(process.sent.size(), 1U);
  EXPECT_THAT(process.console.err, HasSubstr(std::string(kKeyId) + ", the key that you use?"));
}

TEST(KeysRevoke, A11_SelfOfAStrangeServerBecomesNoPath) {
  FakeProcess process;
  process.Answer(200, R"({"id":"../../accounts"})");
  EXPECT_EQ(process.Run("keys revoke self --yes"), kRefused);
  EXPECT_EQ(process.sent.size(), 1U);
}

TEST(KeysRotate, A11_SendsTheGrace) {
  FakeProcess process;
  process.Answer(201, kNewKey);
  EXPECT_EQ(process.Run("keys rotate " + std::string(kKeyId) + " --grace 0"), kDone);
  EXPECT_THAT(process.sent[0].url, ::testing::EndsWith(std::string(kKeyId) + "/rotate"));
  EXPECT_EQ(process.sent[0].body, R"({"grace":"0"})");
  EXPECT_EQ(process.console.out, kRawKey);
  EXPECT_EQ(process.Run("keys rotate " + std::string(kKeyId) + " --grace soon"), kUsage);
}

TEST(KeysVerify, C3_ReadsTheKeyFromStandardInput) {
  FakeProcess process;
  process.console.in = std::string(kRawKey);
  process.Answer(200, R"({"valid":true,"code":"valid","key_id":"key_1","name":"n"})");
  EXPECT_EQ(process.Run("keys verify --scope a,b --ip 203.0.113.9"), kDone);
  EXPECT_EQ(process.sent[0].body,
            R"({"key":")" + std::string(kRawKey) + R"(","scopes":["a","b"],"ip":"203.0.113.9"})");
  EXPECT_EQ(process.console.out, "valid\tkey_1\tn\n");
}

TEST(KeysVerify, C3_AnInvalidKeyIsExitCode1) {
  FakeProcess process;
  process.console.in = "x\"y";
  process.Answer(200, R"({"valid":false,"code":"malformed"})");
  EXPECT_EQ(process.Run("keys verify"), kRefused);
  EXPECT_EQ(process.sent[0].body, R"({"key":"x\"y"})");
  EXPECT_EQ(process.console.out, "malformed\t-\t-\n");
}

TEST(KeysVerify, C3_NothingOnStandardInputIsWrongUsage) {
  FakeProcess process;
  EXPECT_EQ(process.Run("keys verify"), kUsage);
  process.console.in = "";
  EXPECT_EQ(process.Run("keys verify"), kUsage);
  EXPECT_TRUE(process.sent.empty());
}

TEST(Accounts, A12_CreateAndList) {
  FakeProcess process;
  process.Answer(201,
                 R"({"id":"acct_1","name":"Second","created_at":"2026-04-15T12:00:00Z","key":)" +
                     kNewKey + "}");
  EXPECT_EQ(process.Run("accounts create Second"), kDone);
  EXPECT_EQ(process.console.out, kRawKey);
  EXPECT_EQ(process.sent[0].body, R"({"name":"Second"})");

  process.console.out.clear();
  process.Answer(200, R"({"accounts":[{"id":"acct_1","name":"a","created_at":"T"}]})");
  EXPECT_EQ(process.Run("accounts list"), kDone);
  EXPECT_EQ(process.console.out, "acct_1\ta\tT\n");
}

TEST(Audit, S1_ListVerifyAnchorPrune) {
  FakeProcess process;
  process.Answer(200,
                 R"({"records":[{"number":7,"at":"2026-04-15T12:00:00Z","actor":{"kind":"key",)"
                 R"("id":"key_1"},"action":"key.create","subject":"key_2","ip":"127.0.0.1"}],)"
                 R"("next_cursor":null})");
  EXPECT_EQ(process.Run("audit list --action key.create --subject key_2"), kDone);
  EXPECT_THAT(process.sent[0].url, ::testing::EndsWith("?subject=key_2&action=key.create"));
  EXPECT_EQ(process.console.out, "7\t2026-04-15T12:00:00Z\tkey_1\tkey.create\tkey_2\t127.0.0.1\n");

  // An account other than the first is told no numbers (A12).
  process.Answer(200, R"({"records":[{"at":"2026-04-15T12:00:00Z","actor":{"kind":"key",)"
                      R"("id":"key_1"},"action":"key.create","subject":"key_2","ip":null}],)"
                      R"("next_cursor":"00ff"})");
  process.console.out.clear();
  EXPECT_EQ(process.Run("audit list"), kDone);
  EXPECT_EQ(process.console.out, "-\t2026-04-15T12:00:00Z\tkey_1\tkey.create\tkey_2\t-\n");
  EXPECT_THAT(process.console.err, HasSubstr("--cursor 00ff"));

  process.Answer(200, R"({"number":7,"hash":"ab"})");
  process.console.out.clear();
  EXPECT_EQ(process.Run("audit anchor"), kDone);
  EXPECT_EQ(process.console.out, "7 ab\n");

  process.Answer(200, R"({"deleted":3})");
  process.console.out.clear();
  EXPECT_EQ(process.Run("audit prune --older-than 90d --yes"), kDone);
  EXPECT_EQ(process.sent.back().body, R"({"older_than":"90d"})");
  EXPECT_EQ(process.console.out, "3\n");
  EXPECT_EQ(process.Run("audit prune"), kUsage);
  EXPECT_EQ(process.Run("audit prune --older-than long"), kUsage);
}

TEST(Audit, S1_ABrokenChainOrAMissingAnchorIsExitCode1) {
  FakeProcess process;
  const std::string good = R"({"intact":true,"checked":2,"first_number":1,"head":{"number":2,)"
                           R"("hash":"ab"},"problem":null,"anchor_found":false})";
  process.Answer(200, good);
  EXPECT_EQ(process.Run("audit verify"), kDone);
  EXPECT_EQ(process.console.out, "intact: 2 records\nhead: 2 ab\n");
  process.Answer(200, good);
  EXPECT_EQ(process.Run("audit verify --anchor cd"), kRefused);
  EXPECT_THAT(process.sent.back().url, ::testing::EndsWith("?anchor=cd"));
  process.Answer(200, R"({"intact":false,"checked":2,"problem":"record 2"})");
  process.console.out.clear();
  EXPECT_EQ(process.Run("audit verify"), kRefused);
  EXPECT_EQ(process.console.out, "BROKEN: record 2\n");
}

TEST(Errors, C3_AProblemBecomesOneLine) {
  FakeProcess process;
  process.AnswerProblem(403, "insufficient_scope", "this key may not\\u001b[2J",
                        R"(,"needed_scope":"keys:read")");
  EXPECT_EQ(process.Run("keys list"), kRefused);
  EXPECT_EQ(process.console.out, "");
  EXPECT_EQ(process.console.err,
            "p402: this key may not�[2J (needs the scope keys:read) (insufficient_scope, request "
            "req_7)\n");
}

TEST(Errors, A10_AKeyThatWasCreatedBeforeIsNamed) {
  FakeProcess process;
  process.AnswerProblem(409, "already_created", "this request has created a key before",
                        R"(,"key_id":"key_01jx0000000000000000000000")");
  EXPECT_EQ(process.Run("keys create ci --idempotency-key once"), kRefused);
  EXPECT_EQ(process.console.err,
            "p402: this request has created a key before: key_01jx0000000000000000000000 "
            "(already_created, request req_7); if its raw key is lost: p402 keys rotate "
            "key_01jx0000000000000000000000\n");
}

TEST(Errors, C3_ARefusedKeyIsSaidToBeFromTheEnvironment) {
  FakeProcess process;
  process.AnswerProblem(401, "revoked", "the presented key is not accepted");
  EXPECT_EQ(process.Run("keys list"), kRefused);
  EXPECT_EQ(process.console.err,
            "p402: the presented key is not accepted (revoked, request req_7); the key is from "
            "P402_API_KEY: put a valid one there\n");
}

TEST(Errors, C3_ARefusedKeyIsSaidToBeFromTheFile) {
  std::string folder = ::testing::TempDir() + "p402-home-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::filesystem::path file = std::filesystem::path(folder) / "p402" / "config.toml";
  std::filesystem::create_directory(file.parent_path());
  std::ofstream(file) << "api_key = \"" << kRawKey << "\"\n";
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  FakeProcess process;
  process.environment = {{"XDG_CONFIG_HOME", folder}};
  process.AnswerProblem(401, "expired", "the presented key is not accepted");
  EXPECT_EQ(process.Run("keys list"), kRefused);
  EXPECT_THAT(process.console.err, HasSubstr("the key is from " + file.string() + ": put a valid"));
  EXPECT_THAT(process.console.err, Not(HasSubstr(kRawKey)));
  std::filesystem::remove_all(folder);
}

TEST(Errors, C3_RetryAfterAndAnswersWithoutAProblem) {
  FakeProcess process;
  process.Answer(503, "<html>busy</html>", {{"retry-after", "5"}, {"x-request-id", "req_9"}});
  EXPECT_EQ(process.Run("keys list"), kRefused);
  EXPECT_EQ(process.console.err,
            "p402: the server answered without an explanation (HTTP 503, request req_9)\n");
  process.console.err.clear();
  process.Answer(429, R"({"detail":"slow down","code":"too_many_requests"})",
                 {{"retry-after", "5"}});
  EXPECT_EQ(process.Run("keys list"), kRefused);
  EXPECT_EQ(process.console.err, "p402: slow down (too_many_requests); try again in 5 s\n");
}

TEST(Errors, C3_NoServerIsExitCode3) {
  FakeProcess process;
  process.Unplug();
  EXPECT_EQ(process.Run("keys list"), kUnreachable);
  EXPECT_THAT(process.console.err, HasSubstr("127.0.0.1:4020"));
}

TEST(Errors, C3_AnotherServerIsExitCode3) {
  for (const char* body : {"", "[]", "hello", "{\"a\":1} x"}) {
    FakeProcess process;
    process.Answer(200, body);
    EXPECT_EQ(process.Run("keys list"), kUnreachable) << body;
  }
}

TEST(Errors, S2_PlaintextOverANetworkWarnsOnATerminal) {
  FakeProcess process;
  process.console.is_err_terminal = true;
  process.environment["P402_URL"] = "http://keys.example.com";
  process.Answer(200, ListOf(""));
  EXPECT_EQ(process.Run("keys list"), kDone);
  EXPECT_THAT(process.console.err, HasSubstr("unencrypted"));
  process.console.err.clear();
  process.Answer(200, ListOf(""));
  EXPECT_EQ(process.Run("keys list --server http://localhost:1 --ca-file /x.pem"), kDone);
  EXPECT_EQ(process.console.err, "");
  EXPECT_EQ(process.ca_files.back(), "/x.pem");
}

TEST(Errors, C3_AFullDiskIsNotSilent) {
  FakeProcess process;
  process.console.is_good = false;
  process.Answer(200, ListOf(""));
  EXPECT_EQ(process.Run("keys list --json"), kRefused);
}

TEST(Version, C3_TextAndJson) {
  FakeProcess process;
  EXPECT_EQ(process.Run("version"), kDone);
  EXPECT_THAT(process.console.out, ::testing::MatchesRegex("p402 [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  process.console.out.clear();
  EXPECT_EQ(process.Run("version --json"), kDone);
  EXPECT_THAT(process.console.out, StartsWith("{\"version\":\""));
}

}  // namespace
}  // namespace p402::cli
