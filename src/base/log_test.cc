#include "base/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "base/file.h"

namespace p402 {
namespace {

class LogTest : public ::testing::Test {
 protected:
  LogTest() {
    std::string name = (std::filesystem::temp_directory_path() / "p402-log-XXXXXX").string();
    const int fd = ::mkstemp(name.data());
    ::close(fd);
    path_ = name;
  }
  ~LogTest() override { std::filesystem::remove(path_); }
  std::unique_ptr<Log> Open(LogLevel level) {
    auto log = OpenLog({.level = level, .file = path_});
    EXPECT_TRUE(log);
    return *std::move(log);
  }
  std::string Written() { return *ReadFile(path_, 1 << 24); }
  std::string path_;
};

TEST_F(LogTest, OneJsonObjectALine) {
  auto log = Open(LogLevel::kInfo);
  log->Info("key.created",
            {{"id", "key_1"}, {"count", 3}, {"ratio", 0.5}, {"live", true}, {"big", UINT32_MAX}});
  log.reset();
  const std::string text = Written();
  EXPECT_EQ(text.find(R"({"time":")"), 0u);
  EXPECT_NE(text.find(R"Z(Z","level":"info","event":"key.created","id":"key_1","count":3,)Z"
                      R"("ratio":0.5,"live":true,"big":4294967295})"
                      "\n"),
            std::string::npos)
      << text;
}

TEST_F(LogTest, AFieldCannotForgeALine) {
  auto log = Open(LogLevel::kInfo);
  log->Info("x", {{"name", "a\"}\n{\"event\":\"forged\"}"}, {"nan", std::nan("")}});
  log.reset();
  const std::string text = Written();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_NE(text.find(R"("name":"a\"}\n{\"event\":\"forged\"}","nan":null})"), std::string::npos);
}

TEST_F(LogTest, WritesFromItsLevelOn) {
  auto log = Open(LogLevel::kWarning);
  log->Debug("no");
  log->Info("no");
  log->Warning("yes");
  log->Error("yes");
  log.reset();
  const std::string text = Written();
  EXPECT_EQ(text.find("no\""), std::string::npos);
  EXPECT_NE(text.find(R"("level":"warning","event":"yes")"), std::string::npos);
  EXPECT_NE(text.find(R"("level":"error","event":"yes")"), std::string::npos);
}

TEST_F(LogTest, NamesAFileThatCannotBeOpened) {
  const auto log = OpenLog({.level = LogLevel::kInfo, .file = path_ + "/below-a-file"});
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace p402
