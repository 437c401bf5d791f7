#include <cstdlib>
#include <filesystem>

#include "api/testing/world.h"
#include "base/check.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

// Accounts, audit, health, metrics and backup.
namespace p402::api {
namespace {

using testing::Answer;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::World;

TEST(AccountsRoutes, A12_AnAccountComesWithItsFirstKey) {
  World world;
  const Answer made = world.Post("/api/v2/accounts", R"({"name":"Second"})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_TRUE(made.is_secret);
  EXPECT_TRUE(made.body.starts_with("{\"id\":\"acct_"));
  const auto key = made.Json().at("key");
  EXPECT_EQ(key.at("scopes").as_array().at(0).as_string(), "*");
  const Answer list = world.Get("/api/v2/accounts");
  EXPECT_EQ(list.status, 200);
  ASSERT_EQ(list.Json().at("accounts").as_array().size(), 2U);
  EXPECT_EQ(list.Json().at("accounts").at(0).at("id").as_string(),
            world.first_account().ToString());
  EXPECT_THAT(list.body, Not(HasSubstr(std::string(key.at("key").as_string()))));
}

TEST(AccountsRoutes, B_AWrongAccountIsRefused) {
  World world;
  for (const std::string body : {"{}", R"({"name":""})", R"({"name":5})", R"({"name":"a\nb"})",
                                 R"({"name":"x","more":1})", "[]"}) {
    EXPECT_EQ(world.Post("/api/v2/accounts", body).code(), "invalid_request") << body;
  }
}

TEST(AuditRoutes, S1_EveryChangeHasItsRecordWithTheRequest) {
  World world;
  const Answer made = world.Create(R"({"name":"audited"})");
  const Answer list = world.Get("/api/v2/audit?subject=" + made.Text("id"));
  ASSERT_EQ(list.status, 200) << list.body;
  const auto record = list.Json().at("records").at(0);
  EXPECT_EQ(record.at("action").as_string(), "key.create");
  EXPECT_EQ(record.at("request_id").as_string(), made.Header("X-Request-Id"));
  EXPECT_EQ(record.at("ip").as_string(), "192.0.2.1");
  EXPECT_EQ(record.at("actor").at("id").as_string(), world.root_id().ToString());
  EXPECT_TRUE(record.at("details").is_object());
  EXPECT_THAT(list.body, Not(HasSubstr(made.Text("key"))));
}

TEST(AuditRoutes, S1_PagesAndFilters) {
  World world;
  for (int i = 0; i < 5; ++i) world.Create(R"({"name":"x"})");
  const Answer first = world.Get("/api/v2/audit?limit=2&action=key.create");
  ASSERT_EQ(first.Json().at("records").as_array().size(), 2U);
  const std::string link = first.Header("Link");
  ASSERT_TRUE(link.starts_with("</api/v2/audit?limit=2&action=key.create&cursor=")) << link;
  const Answer second = world.Get(link.substr(1, link.find('>') - 1));
  EXPECT_LT(second.Json().at("records").at(0).at("number").as_int64(),
            first.Json().at("records").at(1).at("number").as_int64());
  EXPECT_EQ(world.Get("/api/v2/audit?cursor=zzz").status, 400);
  EXPECT_EQ(world.Get("/api/v2/audit?limit=0").status, 400);
}

TEST(AuditRoutes, S1_VerifyAnchorAndPrune) {
  World world;
  world.Create(R"({"name":"x"})");
  const Answer anchor = world.Post("/api/v2/audit/anchor", "");
  ASSERT_EQ(anchor.status, 200);
  const Answer verdict = world.Get("/api/v2/audit/verify?anchor=" + anchor.Text("hash"));
  EXPECT_TRUE(verdict.Json().at("intact").as_bool());
  EXPECT_TRUE(verdict.Json().at("anchor_found").as_bool());
  EXPECT_EQ(verdict.Json().at("head").at("hash").as_string(), anchor.Text("hash"));
  const Answer wrong = world.Get("/api/v2/audit/verify?anchor=xyz");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.Text("field"), "anchor");
  world.clock().Advance(std::chrono::hours(48));
  EXPECT_EQ(world.Post("/api/v2/audit/prune", "{}").Text("field"), "older_than");
  EXPECT_EQ(world.Post("/api/v2/audit/prune", R"({"older_than":"long"})").status, 400);
  const Answer young = world.Post("/api/v2/audit/prune", R"({"older_than":"1439m"})");
  EXPECT_EQ(young.status, 400);
  EXPECT_EQ(young.Text("field"), "older_than");
  EXPECT_THAT(young.Text("detail"), HasSubstr("24h"));
  const Answer pruned = world.Post("/api/v2/audit/prune", R"({"older_than":"1d"})");
  ASSERT_EQ(pruned.status, 200) << pruned.body;
  EXPECT_GT(pruned.Json().at("deleted").as_int64(), 0);
  EXPECT_TRUE(world.Get("/api/v2/audit/verify").Json().at("intact").as_bool());
}

TEST(Health, LiveIsAlwaysLiveAndReadyWhenTheIndexIsWhole) {
  World world({.starts = false});
  EXPECT_EQ(world.Send({.target = "/livez"}).status, 200);
  const Answer loading = world.Send({.target = "/readyz"});
  EXPECT_EQ(loading.status, 503);
  EXPECT_EQ(loading.Text("status"), "loading");
  EXPECT_TRUE(loading.Json().as_object().contains("loaded"));
  EXPECT_TRUE(loading.Json().as_object().contains("total"));
  EXPECT_EQ(loading.Header("Retry-After"), "1");
  const Answer early = world.Get("/api/v2/keys");
  EXPECT_EQ(early.status, 503);
  EXPECT_EQ(early.code(), "not_ready");
  EXPECT_EQ(world.Send({.target = "/authz/default", .key = world.root_key()}).code(), "not_ready");
  EXPECT_EQ(world.Send({.target = "/openapi.yaml"}).status, 200);
  world.StartFeed();
  const Answer ready = world.Send({.target = "/readyz"});
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(ready.body, R"({"status":"ready"})");
  EXPECT_EQ(world.Get("/api/v2/keys").status, 200);
}

TEST(Metrics, CountAnswersAndDecisions) {
  World world;
  world.Send({.target = "/authz/default", .key = world.root_key()});
  world.Send({.target = "/livez"});
  const Answer answer = world.Get("/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(answer.body,
              HasSubstr(R"(p402_verifications_total{code="valid",endpoint="authz"} 1)"));
  EXPECT_THAT(answer.body,
              HasSubstr(R"(p402_http_answers_total{class="2xx",route="GET /livez"} 1)"));
}

// A folder that is there during a test.
class BackupFolder {
 public:
  BackupFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "p402-api-XXXXXX").string();
    P402_CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~BackupFolder() { std::filesystem::remove_all(path_); }
  BackupFolder(const BackupFolder&) = delete;
  BackupFolder& operator=(const BackupFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  bool is_empty() const { return std::filesystem::is_empty(path_); }

 private:
  std::filesystem::path path_;
};

World::Setup WithBackup(const BackupFolder& folder) {
  World::Setup setup{.backup = "SQLite format 3"};
  setup.options.backup_folder = folder.path();
  return setup;
}

TEST(Backup, C5_IsSentAsAFileThatHasNoNameAnyMore) {
  const BackupFolder folder;
  World world(WithBackup(folder));
  const Answer answer = world.Post("/api/v2/backup", "");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.content_type, "application/vnd.sqlite3");
  EXPECT_EQ(answer.file_bytes, 15U);
  EXPECT_EQ(answer.Header("Cache-Control"), "no-store");
  EXPECT_TRUE(folder.is_empty());
}

TEST(Backup, C5_OneAtATime) {
  const BackupFolder folder;
  World world(WithBackup(folder));
  const testing::Ask ask{.method = "POST", .target = "/api/v2/backup", .key = world.root_key()};
  Answer second;
  const Answer first = world.SendAnd(ask, [&] { second = world.SendAnd(ask, [] {}); });
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(second.status, 429);
  EXPECT_EQ(second.code(), "too_many_requests");
  EXPECT_EQ(world.Send(ask).status, 200);
  EXPECT_TRUE(folder.is_empty());
}

TEST(Backup, R2_IsNotSentToAKeyThatWasRevokedMeanwhile) {
  const BackupFolder folder;
  World world(WithBackup(folder));
  const Answer own = world.Create(R"({"name":"own"})");
  const Answer refused =
      world.SendAnd({.method = "POST", .target = "/api/v2/backup", .key = own.Text("key")}, [&] {
        key::Record record = *world.index().Find(*key::KeyId::Parse(own.Text("id")));
        record.revoked_at = world.clock().Now();
        record.version += 1;
        world.index().Put(record);
      });
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.code(), "revoked");
  EXPECT_EQ(refused.file_bytes, 0U);
  EXPECT_TRUE(folder.is_empty());
}

TEST(Backup, C5_AStoreWithoutBackupSaysSo) {
  World world;
  const Answer answer = world.Post("/api/v2/backup", "");
  EXPECT_GE(answer.status, 400);
  const Answer again = world.Post("/api/v2/backup", "");
  EXPECT_EQ(again.status, answer.status) << "the first one has ended";
}

}  // namespace
}  // namespace p402::api
