#include "app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace p402::app {
namespace {

using ::testing::HasSubstr;

Result<ServeOptions> Build(Values values) {
  values.emplace("data", std::vector<std::string>{"/data"});
  return BuildServeOptions(values, {});
}

std::string MessageOf(const Values& values) {
  const auto options = Build(values);
  EXPECT_FALSE(options);
  return options ? "" : options.error().public_message;
}

std::string FileMessage(std::string_view toml) {
  const auto config = ParseConfig(toml);
  EXPECT_FALSE(config) << toml;
  return config ? "" : config.error().public_message;
}

TEST(Config, C1_Defaults) {
  const auto options = Build({});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->node.data, "/data");
  ASSERT_EQ(options->node.listen.size(), 1U);
  EXPECT_EQ(options->node.listen[0].text, "127.0.0.1:4020");
  EXPECT_TRUE(options->node.authz_listen.empty());
  EXPECT_FALSE(options->node.tls);
  EXPECT_EQ(options->node.brand, "p402");
  EXPECT_EQ(options->node.threads,
            std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
  EXPECT_EQ(options->public_url, "http://localhost:4020");
  EXPECT_FALSE(options->has_public_url);
  EXPECT_EQ(options->drain_time, std::chrono::seconds(30));
  EXPECT_EQ(options->log.level, LogLevel::kInfo);
  EXPECT_EQ(options->log.file, "");
}

TEST(Config, C1_EveryHelpNamesItsDefaultOrThatItIsRequired) {
  for (const Setting& setting : Settings()) {
    const std::string help(setting.help);
    const bool is_about_tls = setting.name == "tls-key";
    EXPECT_TRUE(is_about_tls || help.find("(default ") != help.npos ||
                help.find("(required)") != help.npos)
        << setting.name;
  }
}

TEST(Config, C1_EverySettingIsRead) {
  const auto options = Build({{"listen", {"[::1]:1", "unix:/s"}},
                              {"authz-listen", {"127.0.0.1:2"}},
                              {"tls-cert", {"/c"}},
                              {"tls-key", {"/k"}},
                              {"behind-tls-proxy", {"true"}},
                              {"trusted-proxy", {"10.0.0.0/8", "unix", "::1"}},
                              {"brand", {"acme"}},
                              {"threads", {"3"}},
                              {"public-url", {"https://keys.example.com"}},
                              {"drain-time", {"2m"}},
                              {"no-usage", {"true"}},
                              {"log-level", {"debug"}},
                              {"log-file", {"/l"}},
                              {"account-name", {"Example"}},
                              {"store", {"sqlite"}}});
  ASSERT_TRUE(options) << options.error().public_message;
  EXPECT_EQ(options->node.listen.size(), 2U);
  EXPECT_EQ(options->node.authz_listen[0].port, 2);
  EXPECT_EQ(options->node.tls->certificate, "/c");
  EXPECT_EQ(options->node.tls->private_key, "/k");
  EXPECT_EQ(options->node.trusted_proxies.size(), 2U);
  EXPECT_TRUE(options->node.trusts_unix_peers);
  EXPECT_EQ(options->node.brand, "acme");
  EXPECT_EQ(options->node.threads, 3);
  EXPECT_FALSE(options->node.marks_use);
  EXPECT_EQ(options->node.first_account_name, "Example");
  EXPECT_TRUE(options->has_public_url);
  EXPECT_EQ(options->drain_time, std::chrono::minutes(2));
  EXPECT_EQ(options->log.level, LogLevel::kDebug);
  EXPECT_EQ(options->log.file, "/l");
}

TEST(Config, C1_BadValuesAreRefusedByName) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"listen", "nowhere"},
      {"authz-listen", "x"},
      {"threads", "0"},
      {"threads", "1025"},
      {"threads", "x"},
      {"threads", "1 "},
      {"brand", "x"},
      {"brand", "Bad"},
      {"brand", "elevenchars"},
      {"log-level", "loud"},
      {"drain-time", "soon"},
      {"trusted-proxy", "10.0.0.1/8"},
      {"trusted-proxy", ""},
      {"public-url", "x"},
      {"public-url", "http://"},
      {"public-url", "http://a/b"},
      {"public-url", "https://u@h"},
      {"behind-tls-proxy", "yes"},
      {"no-usage", "no"},
      {"store", "postgres://x"},
  };
  for (const auto& [name, value] : bad) {
    EXPECT_THAT(MessageOf({{name, {value}}}), HasSubstr("--" + name)) << value;
  }
  EXPECT_TRUE(Build({{"threads", {"1"}}}));
  EXPECT_TRUE(Build({{"threads", {"1024"}}}));
  const auto without_data = BuildServeOptions({}, {});
  ASSERT_FALSE(without_data);
  EXPECT_THAT(without_data.error().public_message, HasSubstr("--data"));
}

TEST(Config, S3_ACertificateNeedsItsKeyAndTheOtherWayRound) {
  EXPECT_THAT(MessageOf({{"tls-cert", {"/c"}}}), HasSubstr("--tls-key"));
  EXPECT_THAT(MessageOf({{"tls-key", {"/k"}}}), HasSubstr("--tls-cert"));
}

TEST(Config, S2_OtherAddressesNeedTlsOrAProxyThatEndsIt) {
  EXPECT_THAT(MessageOf({{"listen", {"0.0.0.0:1"}}}), HasSubstr("--behind-tls-proxy"));
  EXPECT_THAT(MessageOf({{"authz-listen", {"[::]:1"}}}), HasSubstr("[::]:1"));
  EXPECT_FALSE(Build({{"listen", {"0.0.0.0:1"}}, {"behind-tls-proxy", {"false"}}}));
  EXPECT_TRUE(Build({{"listen", {"0.0.0.0:1"}}, {"behind-tls-proxy", {"true"}}}));
  EXPECT_TRUE(Build({{"listen", {"0.0.0.0:1"}}, {"tls-cert", {"/c"}}, {"tls-key", {"/k"}}}));
}

TEST(Config, C_TheStrongerSourceWinsAsAWhole) {
  const Values merged = Merge({{"brand", {"flag"}}, {"listen", {"a"}}},
                              {{"brand", {"file"}}, {"listen", {"b", "c"}}, {"threads", {"2"}}});
  EXPECT_EQ(merged.at("brand"), std::vector<std::string>{"flag"});
  EXPECT_EQ(merged.at("listen"), std::vector<std::string>{"a"});
  EXPECT_EQ(merged.at("threads"), std::vector<std::string>{"2"});
}

TEST(Config, C_NamesOfVariables) {
  EXPECT_EQ(EnvironmentName("drain-time"), "P402_DRAIN_TIME");
  EXPECT_EQ(EnvironmentName("data"), "P402_DATA");
}

TEST(ConfigFile, C1_MeansTheSameAsTheFlags) {
  const auto config = ParseConfig(R"(
    listen = ["127.0.0.1:1", "[::1]:2"]
    authz_listen = "127.0.0.1:3"
    behind-tls-proxy = true
    threads = 4
    drain_time = "5s"
  )");
  ASSERT_TRUE(config) << config.error().public_message;
  EXPECT_EQ(config->values.at("listen"), (std::vector<std::string>{"127.0.0.1:1", "[::1]:2"}));
  EXPECT_EQ(config->values.at("authz-listen"), std::vector<std::string>{"127.0.0.1:3"});
  EXPECT_EQ(config->values.at("behind-tls-proxy"), std::vector<std::string>{"true"});
  EXPECT_EQ(config->values.at("threads"), std::vector<std::string>{"4"});
  EXPECT_TRUE(Build(config->values));
}

TEST(ConfigFile, C1_UnknownAndMistypedNamesAreRefused) {
  EXPECT_THAT(FileMessage("listne = \"x\""), HasSubstr("listne"));
  EXPECT_THAT(FileMessage("config = \"x\""), HasSubstr("config"));
  EXPECT_THAT(FileMessage("brand = [\"a\"]"), HasSubstr("brand"));
  EXPECT_THAT(FileMessage("listen = [1]"), HasSubstr("listen"));
  EXPECT_THAT(FileMessage("threads = 1.5"), HasSubstr("threads"));
  EXPECT_THAT(FileMessage("behind_tls_proxy = \"true\""), HasSubstr("behind-tls-proxy"));
  EXPECT_THAT(FileMessage("brand = true"), HasSubstr("brand"));
  EXPECT_THAT(FileMessage("drain_time = \"1s\"\ndrain-time = \"2s\""), HasSubstr("twice"));
  EXPECT_THAT(FileMessage("brand = \"a\"\n[routes"), HasSubstr("line 2"));
  EXPECT_THAT(FileMessage("[server]\nbrand = \"a\""), HasSubstr("server"));
}

TEST(ConfigFile, V2_Routes) {
  const auto config = ParseConfig(R"(
    [routes.models]
    scopes = ["models:read", "models:write"]
    mode = "test"
    deny_status = 403
    account = "acct_01jx0000000000000000000000"
    [routes.either]
    mode = "any"
    [routes.plain]
  )");
  ASSERT_TRUE(config) << config.error().public_message;
  const api::AuthzRoute& models = config->routes.at("models");
  EXPECT_EQ(models.scopes, (std::vector<std::string>{"models:read", "models:write"}));
  EXPECT_EQ(models.mode, key::Mode::kTest);
  EXPECT_EQ(models.deny_status, 403);
  EXPECT_EQ(models.account, key::AccountId::Parse("acct_01jx0000000000000000000000"));
  EXPECT_EQ(config->routes.at("either").mode, std::nullopt);
  EXPECT_EQ(config->routes.at("plain").mode, key::Mode::kLive);
  EXPECT_EQ(config->routes.at("plain").deny_status, std::nullopt);
}

TEST(ConfigFile, V2_BadRoutesAreRefusedByName) {
  EXPECT_THAT(FileMessage("[routes.x]\nscope = [\"a\"]"), HasSubstr("routes.x.scope"));
  EXPECT_THAT(FileMessage("[routes.x]\nscopes = \"a\""), HasSubstr("routes.x.scopes"));
  EXPECT_THAT(FileMessage("[routes.x]\nscopes = [\"A B\"]"), HasSubstr("routes.x.scopes"));
  EXPECT_THAT(FileMessage("[routes.x]\nmode = \"prod\""), HasSubstr("routes.x.mode"));
  EXPECT_THAT(FileMessage("[routes.x]\nmode = 1"), HasSubstr("routes.x.mode"));
  EXPECT_THAT(FileMessage("[routes.x]\ndeny_status = 200"), HasSubstr("routes.x.deny_status"));
  EXPECT_THAT(FileMessage("[routes.x]\ndeny_status = \"401\""), HasSubstr("routes.x.deny_status"));
  EXPECT_THAT(FileMessage("[routes.x]\naccount = \"nobody\""), HasSubstr("routes.x.account"));
  EXPECT_THAT(FileMessage("routes = 1"), HasSubstr("routes"));
  EXPECT_THAT(FileMessage("[routes]\nx = 1"), HasSubstr("routes.x"));
}

}  // namespace
}  // namespace p402::app
