#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "cli/testing/fake_process.h"

namespace p402::cli {
namespace {

using testing::FakeProcess;
using ::testing::HasSubstr;

const std::map<std::string, std::string> kType = {{"content-type", "application/vnd.sqlite3"}};

class Backup : public ::testing::Test {
 protected:
  Backup() {
    std::string pattern = ::testing::TempDir() + "p402-backup-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    target_ = folder_ / "backup.db";
  }
  ~Backup() override { std::filesystem::remove_all(folder_); }

  static std::string Read(const std::filesystem::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  int Run(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"backup", target_.string()};
    words.insert(words.end(), more.begin(), more.end());
    return process_.Run(words);
  }
  size_t Files() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::filesystem::path folder_;
  std::filesystem::path target_;
  FakeProcess process_;
};

TEST_F(Backup, C5_WritesAPrivateFile) {
  process_.Answer(200, "SQLite format 3", kType);
  EXPECT_EQ(Run(), kDone);
  EXPECT_EQ(Read(target_), "SQLite format 3");
  struct stat info{};
  ASSERT_EQ(::stat(target_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(Files(), 1U);
  EXPECT_EQ(process_.sent[0].method, "POST");
}

TEST_F(Backup, C5_ReplacesOnlyWithForce) {
  std::ofstream(target_) << "old";
  EXPECT_EQ(Run(), kUsage);
  EXPECT_TRUE(process_.sent.empty());
  EXPECT_EQ(Read(target_), "old");
  process_.Answer(200, "new", kType);
  EXPECT_EQ(Run({"--force"}), kDone);
  EXPECT_EQ(Read(target_), "new");
}

TEST_F(Backup, C5_AFailureLeavesNothing) {
  process_.AnswerProblem(403, "insufficient_scope", "no");
  EXPECT_EQ(Run(), kRefused);
  EXPECT_EQ(Files(), 0U);
  process_.Answer(200, "hello", {{"content-type", "text/html"}});
  EXPECT_EQ(Run(), kUnreachable);
  EXPECT_EQ(Files(), 0U);
  process_.Unplug();
  EXPECT_EQ(Run(), kUnreachable);
  EXPECT_EQ(Files(), 0U);
}

TEST_F(Backup, C5_ALinkInTheWayIsNotFollowed) {
  const auto elsewhere = folder_ / "elsewhere";
  std::ofstream(elsewhere) << "mine";
  std::filesystem::create_symlink(elsewhere, target_.string() + ".tmp");
  process_.Answer(200, "SQLite format 3", kType);
  EXPECT_EQ(Run(), kDone);
  EXPECT_EQ(Read(elsewhere), "mine");
  EXPECT_EQ(Read(target_), "SQLite format 3");
}

TEST_F(Backup, C5_AMissingFolderIsSaid) {
  target_ = folder_ / "no" / "backup.db";
  EXPECT_EQ(Run(), kRefused);
  EXPECT_THAT(process_.console.err, HasSubstr("No such file"));
}

}  // namespace
}  // namespace p402::cli
