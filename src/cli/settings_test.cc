#include "cli/settings.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "cli/testing/fake_process.h"

namespace p402::cli {
namespace {

using testing::FakeConsole;
using testing::kRawKey;

class SettingsTest : public ::testing::Test {
 protected:
  SettingsTest() {
    std::string pattern = ::testing::TempDir() + "p402-settings-XXXXXX";
    home_ = ::mkdtemp(pattern.data());
    environment_["HOME"] = home_.string();
    std::filesystem::create_directories(home_ / ".config" / "p402");
  }
  ~SettingsTest() override { std::filesystem::remove_all(home_); }

  void WriteFile(const std::string& text, mode_t mode = 0600) {
    const auto path = home_ / ".config" / "p402" / "config.toml";
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
  }

  Result<Settings> Load(const Common& common = {}) {
    const Process process{.console = console_,
                          .clock = clock_,
                          .env = [this](const char* name) -> std::optional<std::string> {
                            const auto found = environment_.find(name);
                            if (found == environment_.end()) return std::nullopt;
                            return found->second;
                          },
                          .make_client = {}};
    return LoadSettings(process, common);
  }

  std::filesystem::path home_;
  FakeConsole console_;
  p402::testing::FakeClock clock_;
  std::map<std::string, std::string> environment_;
};

TEST_F(SettingsTest, C3_TheDefaultServerIsLocal) {
  environment_["P402_API_KEY"] = std::string(kRawKey) + "\n";
  const auto settings = Load();
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->server, "http://127.0.0.1:4020");
  EXPECT_EQ(settings->key.Reveal(), kRawKey);
}

TEST_F(SettingsTest, C3_AFlagBeatsTheEnvironmentAndItBeatsTheFile) {
  WriteFile("url = \"http://file:1\"\napi_key = \"filekey\"\nca_file = \"/file.pem\"\n");
  auto settings = Load();
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->server, "http://file:1");
  EXPECT_EQ(settings->key.Reveal(), "filekey");
  EXPECT_EQ(settings->ca_file, "/file.pem");

  environment_["P402_URL"] = "http://environment:2/";
  environment_["P402_API_KEY"] = "environmentkey";
  environment_["P402_CA_FILE"] = "/environment.pem";
  settings = Load();
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->server, "http://environment:2");
  EXPECT_EQ(settings->key.Reveal(), "environmentkey");
  EXPECT_EQ(settings->ca_file, "/environment.pem");

  settings = Load({.server = "https://flag:3", .ca_file = "/flag.pem"});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->server, "https://flag:3");
  EXPECT_EQ(settings->ca_file, "/flag.pem");
}

TEST_F(SettingsTest, C3_TheFileFollowsXdg) {
  std::filesystem::create_directories(home_ / "xdg" / "p402");
  const auto path = home_ / "xdg" / "p402" / "config.toml";
  std::ofstream(path) << "api_key = \"xdgkey\"\n";
  ::chmod(path.c_str(), 0600);
  environment_["XDG_CONFIG_HOME"] = (home_ / "xdg").string();
  const auto settings = Load();
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->key.Reveal(), "xdgkey");
}

TEST_F(SettingsTest, C3_AFileThatOthersMayReadIsRefused) {
  for (const mode_t mode : {0644U, 0640U, 0660U, 0604U, 0610U}) {
    WriteFile("api_key = \"filekey\"\n", mode);
    const auto settings = Load();
    ASSERT_FALSE(settings) << mode;
    EXPECT_NE(settings.error().public_message.find("0600"), std::string::npos);
    EXPECT_EQ(settings.error().public_message.find("filekey"), std::string::npos);
  }
  WriteFile("api_key = \"filekey\"\n", 0400);
  EXPECT_TRUE(Load());
}

TEST_F(SettingsTest, C3_UnknownNamesAndBrokenFilesAreRefusedWithoutTheirText) {
  WriteFile("api_kye = \"secretsecret\"\n");
  auto settings = Load();
  ASSERT_FALSE(settings);
  EXPECT_NE(settings.error().public_message.find("api_kye"), std::string::npos);
  EXPECT_EQ(settings.error().public_message.find("secretsecret"), std::string::npos);

  WriteFile("url = \"http://a\"\napi_key = secretsecret\n");
  settings = Load();
  ASSERT_FALSE(settings);
  EXPECT_NE(settings.error().public_message.find("line 2"), std::string::npos);
  EXPECT_EQ(settings.error().public_message.find("secretsecret"), std::string::npos);

  WriteFile("api_key = 7\n");
  EXPECT_FALSE(Load());
}

TEST_F(SettingsTest, C3_NoKeyIsWrongUsage) {
  const auto settings = Load();
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(settings.error().public_message.find("P402_API_KEY"), std::string::npos);
  environment_["P402_API_KEY"] = "two words";
  EXPECT_FALSE(Load());
}

TEST(Settings, C3_ServerAddresses) {
  EXPECT_EQ(*CheckServer("http://127.0.0.1:4020"), "http://127.0.0.1:4020");
  EXPECT_EQ(*CheckServer("https://keys.example.com/p402//"), "https://keys.example.com/p402");
  EXPECT_EQ(*CheckServer("http://[::1]:4020"), "http://[::1]:4020");
  for (const char* bad : {"", "keys.example.com", "ftp://x", "http://", "https:///", "http://a b",
                          "http://user@host", "http://h?q", "http://h#f", "http://h\nX: y"}) {
    EXPECT_FALSE(CheckServer(bad)) << bad;
  }
}

}  // namespace
}  // namespace p402::cli
