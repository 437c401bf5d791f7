#include "app/node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <future>

#include "base/executor.h"
#include "base/metrics.h"
#include "base/testing/fakes.h"
#include "net/http_client.h"
#include "store/sqlite/sqlite_store.h"

namespace p402::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class NodeTest : public ::testing::Test {
 protected:
  NodeTest() {
    std::string pattern = ::testing::TempDir() + "p402-node-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    client_ = std::move(*net::HttpClient::Create());
  }
  ~NodeTest() override { std::filesystem::remove_all(folder_); }

  NodeOptions Options(const std::string& name = "data") const {
    return {.data = folder_ / name, .listen = {*ParseAddress("127.0.0.1:0")}, .threads = 2};
  }

  // Opened, listening and loaded.
  std::unique_ptr<Node> Started(NodeOptions options) {
    auto node = Node::Open(std::move(options), clock_, random_, log_);
    EXPECT_TRUE(node) << node.error().detail;
    if (!node) return nullptr;
    const auto listening = (*node)->Listen();
    EXPECT_TRUE(listening) << listening.error().detail;
    EXPECT_TRUE(Loaded(**node));
    return std::move(*node);
  }

  static Status Loaded(Node& node) {
    auto done = std::make_shared<std::promise<Status>>();
    auto future = done->get_future();
    node.Load([done](Status status) { done->set_value(std::move(status)); });
    return future.get();
  }

  net::ClientResponse Get(const std::string& url, const Secret* key = nullptr) {
    auto response = client_->Send({.url = url, .bearer = key});
    EXPECT_TRUE(response) << response.error().public_message;
    return response ? std::move(*response) : net::ClientResponse{};
  }

  RealClock clock_;
  p402::testing::SeededRandom random_;
  p402::testing::MemoryLog log_;
  std::filesystem::path folder_;
  std::unique_ptr<net::HttpClient> client_;
  std::unique_ptr<Metrics> metrics_ = Metrics::Create();
};

TEST_F(NodeTest, C1_AnEmptyStoreGetsItsFirstKeyOnce) {
  FirstKey first;
  {
    auto node = Started(Options());
    ASSERT_TRUE(node);
    auto key = node->TakeFirstKey();
    ASSERT_TRUE(key);
    first = std::move(*key);
    EXPECT_FALSE(node->TakeFirstKey());
    const auto self = Get(node->urls()[0] + "/api/v2/keys/self", &first.raw_key);
    EXPECT_EQ(self.status, 200);
    EXPECT_THAT(self.body, HasSubstr(first.key_id));
    EXPECT_THAT(self.body, HasSubstr("\"scopes\":[\"*\"]"));
  }
  auto again = Started(Options());
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->TakeFirstKey());
  EXPECT_EQ(Get(again->urls()[0] + "/api/v2/keys/self", &first.raw_key).status, 200);
  for (const auto& line : log_.Lines()) EXPECT_THAT(line, Not(HasSubstr("p402_live_")));
}

TEST_F(NodeTest, C1_LivesBeforeItIsReady) {
  auto node = Node::Open(Options(), clock_, random_, log_);
  ASSERT_TRUE(node);
  ASSERT_TRUE((*node)->Listen());
  const std::string url = (*node)->urls()[0];
  EXPECT_THAT(url, StartsWith("http://127.0.0.1:"));
  EXPECT_THAT(url, Not(::testing::EndsWith(":0")));
  EXPECT_EQ(Get(url + "/livez").status, 200);
  EXPECT_EQ(Get(url + "/readyz").status, 503);
  const auto key = (*node)->TakeFirstKey();
  EXPECT_EQ(Get(url + "/api/v2/keys/self", &key->raw_key).status, 503);  // V4
  ASSERT_TRUE(Loaded(**node));
  EXPECT_EQ(Get(url + "/readyz").status, 200);
  EXPECT_TRUE((*node)->progress().is_ready);
}

TEST_F(NodeTest, L1_StopWritesTheMarksThatWait) {
  FirstKey first;
  {
    auto node = Started(Options());
    ASSERT_TRUE(node);
    first = std::move(*node->TakeFirstKey());
    EXPECT_EQ(Get(node->urls()[0] + "/authz/default", &first.raw_key).status, 200);
    EXPECT_EQ(node->Stop(std::chrono::seconds(5)), 0U);
    EXPECT_EQ(node->Stop(std::chrono::seconds(5)), 0U);
  }
  // Asked of the store itself: a node would make a mark of its own.
  auto store = store::sqlite::Open({.folder = folder_ / "data", .create = false}, clock_, random_,
                                   log_, *metrics_);
  ASSERT_TRUE(store);
  TaskThread thread("test", clock_);
  using Read = Result<std::vector<key::Record>>;
  std::promise<Read> promise;
  (*store)->keys().Scan(key::KeyId{}, 10, Callback<Read>(thread, [&](Read keys) {
                          promise.set_value(std::move(keys));
                        }));
  const Read keys = promise.get_future().get();
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 1U);
  EXPECT_TRUE((*keys)[0].last_used_at.has_value());
}

TEST_F(NodeTest, S5_ASecondNodeOnTheSameFolderIsRefused) {
  auto node = Started(Options());
  ASSERT_TRUE(node);
  const auto second = Node::Open(Options(), clock_, random_, log_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kLocked);
  node.reset();
  EXPECT_TRUE(Node::Open(Options(), clock_, random_, log_));
}

TEST_F(NodeTest, C1_TwoNodesFitInOneProcess) {
  auto one = Started(Options("one"));
  auto two = Started(Options("two"));
  ASSERT_TRUE(one && two);
  const auto key_one = one->TakeFirstKey();
  EXPECT_EQ(Get(one->urls()[0] + "/api/v2/keys/self", &key_one->raw_key).status, 200);
  EXPECT_EQ(Get(two->urls()[0] + "/api/v2/keys/self", &key_one->raw_key).status, 401);
}

TEST_F(NodeTest, V2_AnAuthzListenerServesNothingElse) {
  auto options = Options();
  options.authz_listen = {*ParseAddress("127.0.0.1:0"),
                          *ParseAddress("unix:" + (folder_ / "authz.sock").string())};
  auto node = Started(std::move(options));
  ASSERT_TRUE(node);
  const auto key = node->TakeFirstKey();
  const auto urls = node->urls();
  ASSERT_EQ(urls.size(), 3U);
  EXPECT_EQ(urls[2], "unix:" + (folder_ / "authz.sock").string());
  EXPECT_EQ(Get(urls[1] + "/authz/default", &key->raw_key).status, 200);
  EXPECT_EQ(Get(urls[1] + "/api/v2/keys", &key->raw_key).status, 404);
}

TEST_F(NodeTest, C1_APortInUseIsSaidByName) {
  auto node = Started(Options());
  ASSERT_TRUE(node);
  const std::string taken = node->urls()[0].substr(std::string_view("http://").size());
  auto options = Options("other");
  options.listen = {*ParseAddress(taken)};
  auto other = Node::Open(std::move(options), clock_, random_, log_);
  ASSERT_TRUE(other);
  const auto status = (*other)->Listen();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().detail + status.error().public_message, HasSubstr(taken));
}

TEST_F(NodeTest, C1_AnAddressThatIsTakenSpendsNoKey) {
  auto node = Started(Options());
  ASSERT_TRUE(node);
  auto options = Options("other");
  options.listen = {*ParseAddress(node->urls()[0].substr(std::string_view("http://").size()))};
  auto other = Node::Open(std::move(options), clock_, random_, log_);
  ASSERT_TRUE(other);
  EXPECT_FALSE((*other)->Listen());
  EXPECT_FALSE((*other)->TakeFirstKey());
  node.reset();  // now it is free
  ASSERT_TRUE((*other)->Listen());
  EXPECT_TRUE((*other)->TakeFirstKey());
}

TEST_F(NodeTest, S3_CertificatesThatDoNotLoadAreAnError) {
  auto options = Options();
  options.tls =
      net::TlsFiles{.certificate = "/nowhere/cert.pem", .private_key = "/nowhere/key.pem"};
  auto node = Node::Open(std::move(options), clock_, random_, log_);
  ASSERT_TRUE(node);
  const auto status = (*node)->Listen();
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().detail + status.error().public_message, HasSubstr("cert.pem"));
}

TEST_F(NodeTest, V2_BadRoutesAndBrandsAreRefusedBeforeAnythingIsMade) {
  auto options = Options();
  options.routes["Bad Name"] = {};
  EXPECT_FALSE(Node::Open(std::move(options), clock_, random_, log_));
  options = Options();
  options.brand = "X";
  EXPECT_FALSE(Node::Open(std::move(options), clock_, random_, log_));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "data"));
}

TEST_F(NodeTest, C1_StopsInEveryState) {
  EXPECT_TRUE(Node::Open(Options(), clock_, random_, log_));  // never listened
  {
    auto node = Node::Open(Options(), clock_, random_, log_);
    ASSERT_TRUE(node && (*node)->Listen());
    (*node)->Load([](Status) {});  // still loading
  }
  auto node = Started(Options());
  ASSERT_TRUE(node);
  EXPECT_EQ(node->Stop(Millis(0)), 0U);
}

}  // namespace
}  // namespace p402::app
