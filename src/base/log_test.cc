#include "base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <regex>
#include <sstream>
#include <thread>

#include "base/file.h"

namespace p402 {
namespace {

namespace fs = std::filesystem;

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "p402-log-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    file_ = folder_ / "log";
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<Log> Open(LogLevel level = LogLevel::kInfo) const {
    auto log = OpenLog({.level = level, .file = file_.string()});
    EXPECT_TRUE(log);
    return *std::move(log);
  }
  std::string Text() const { return ReadFile(file_, 100'000'000).value(); }
  // The lines without their time.
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    std::istringstream text(Text());
    const std::regex time(R"re("time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",)re");
    for (std::string line; std::getline(text, line);) {
      EXPECT_TRUE(std::regex_search(line, time)) << line;
      lines.push_back(std::regex_replace(line, time, ""));
    }
    return lines;
  }

  fs::path folder_;
  fs::path file_;
};

TEST_F(LogTest, WritesOneJsonObjectALine) {
  const auto log = Open();
  log->Info("server.ready", {{"url", "http://127.0.0.1:4020"},
                             {"count", UINT32_MAX},
                             {"seconds", 0.25},
                             {"has_tls", false}});
  log->Error("store.failed");
  log->Flush();
  EXPECT_EQ(Lines(), (std::vector<std::string>{
                         R"({"level":"info","event":"server.ready","url":"http://127.0.0.1:4020",)"
                         R"("count":4294967295,"seconds":0.25,"has_tls":false})",
                         R"({"level":"error","event":"store.failed"})"}));
}

TEST_F(LogTest, NoTextCanForgeALineOrAField) {
  const auto log = Open();
  log->Warning("a\"b", {{"x\ny", "1\",\"level\":\"error\"\n{\"event\":\"forged\"}\r\x1b[31m\xff"}});
  log->Flush();
  EXPECT_EQ(Lines(), std::vector<std::string>{
                         R"({"level":"warning","event":"a\"b","x\ny":"1\",\"level\":\"error\"\n)"
                         R"({\"event\":\"forged\"}\r\u001b[31m)"
                         "\xef\xbf\xbd\"}"});
}

TEST_F(LogTest, APercentSignIsOnlyAPercentSign) {
  const auto log = Open();
  log->Info("%v {} %s", {{"a", "{0} %n"}});
  log->Flush();
  EXPECT_EQ(Lines(),
            std::vector<std::string>{R"({"level":"info","event":"%v {} %s","a":"{0} %n"})"});
}

TEST_F(LogTest, ANumberThatJsonLacksIsNull) {
  const auto log = Open();
  log->Info("x", {{"a", std::numeric_limits<double>::infinity()},
                  {"b", std::numeric_limits<double>::quiet_NaN()}});
  log->Flush();
  EXPECT_EQ(Lines(), std::vector<std::string>{R"({"level":"info","event":"x","a":null,"b":null})"});
}

TEST_F(LogTest, LeavesOutWhatIsBelowItsLevel) {
  const auto log = Open(LogLevel::kWarning);
  log->Debug("a");
  log->Info("b");
  log->Warning("c");
  log->Error("d");
  log->Flush();
  EXPECT_EQ(Lines(), (std::vector<std::string>{R"({"level":"warning","event":"c"})",
                                               R"({"level":"error","event":"d"})"}));
}

TEST_F(LogTest, FlushWaitsForTheLines) {
  const auto log = Open();
  for (int i = 1; i <= 50; ++i) {
    for (int n = 0; n < 20; ++n) log->Info("x", {{"i", i}});
    log->Flush();
    ASSERT_EQ(Lines().size(), static_cast<size_t>(20 * i));
  }
}

TEST_F(LogTest, TheEndOfALogWritesWhatIsWaiting) {
  {
    const auto log = Open();
    for (int i = 0; i < 1000; ++i) log->Info("x", {{"i", i}});
  }
  EXPECT_EQ(Lines().size(), 1000u);
}

TEST_F(LogTest, LinesOfManyThreadsStayWhole) {
  const auto log = Open();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) log->Info("x", {{"text", std::string(200, 'y')}});
      });
    }
  }
  log->Flush();
  const auto lines = Lines();
  EXPECT_EQ(lines.size(), 2000u);
  const std::string expected =
      R"({"level":"info","event":"x","text":")" + std::string(200, 'y') + "\"}";
  for (const auto& line : lines) EXPECT_EQ(line, expected);
}

// A pipe that nobody reads fills up; then the queue does. Write must go on, and every line is
// accounted for: it arrives, or a "log.dropped" line counts it.
TEST_F(LogTest, AFullQueueDropsLinesAndCountsThem) {
  constexpr size_t kLines = 20'000;
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  const UniqueFd reader(::open(file_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  ASSERT_TRUE(reader.is_open());
  auto log = Open();
  for (size_t i = 0; i < kLines; ++i) log->Info("x", {{"text", std::string(100, 'y')}});
  // Now somebody reads, until the log closes the pipe.
  ASSERT_EQ(::fcntl(reader.get(), F_SETFL, 0), 0);
  auto text = std::async(std::launch::async, [&] {
    std::string all;
    char part[65536];
    for (ssize_t count; (count = ::read(reader.get(), part, sizeof(part))) > 0;) {
      all.append(part, static_cast<size_t>(count));
    }
    return all;
  });
  log.reset();
  size_t arrived = 0;
  size_t dropped = 0;
  std::istringstream lines(text.get());
  const std::regex report(R"re("event":"log.dropped","lines":(\d+)\})re");
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_search(line, match, report)) {
      dropped += std::stoul(match[1]);
    } else {
      ++arrived;
    }
  }
  EXPECT_GT(dropped, 0u);
  EXPECT_EQ(arrived + dropped, kLines);
}

TEST_F(LogTest, AFileIsItsOwnersAlone) {
  Open()->Info("x");
  EXPECT_EQ(fs::status(file_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(LogTest, AFileThatCannotBeOpenedIsAFailure) {
  const auto log = OpenLog({.file = (folder_ / "log" / "x" / "y").string()});
  EXPECT_TRUE(log);  // its folders are made
  ASSERT_TRUE(WriteFileAtomically(folder_ / "plain", "", 0600));
  for (const auto& path : {folder_, folder_ / "plain" / "below-a-file"}) {
    const auto bad = OpenLog({.file = path.string()});
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, ErrorCode::kIo);
  }
}

}  // namespace
}  // namespace p402
