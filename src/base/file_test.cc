#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace p402 {
namespace {

namespace fs = std::filesystem;

class FileTest : public ::testing::Test {
 protected:
  FileTest() {
    std::string name = (fs::temp_directory_path() / "p402-file-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~FileTest() override { fs::remove_all(folder_); }
  static mode_t ModeOf(const fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 0777;
  }
  fs::path folder_;
};

TEST_F(FileTest, S5_TheFolderHasOneHolder) {
  auto first = FolderLock::Acquire(folder_);
  ASSERT_TRUE(first);
  auto second = FolderLock::Acquire(folder_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kLocked);
  EXPECT_NE(second.error().public_message.find("--server"), std::string::npos);
  first->reset();
  EXPECT_TRUE(FolderLock::Acquire(folder_));
}

TEST_F(FileTest, S5_MakesAMissingFolderForItsOwnerAlone) {
  ASSERT_TRUE(FolderLock::Acquire(folder_ / "new"));
  EXPECT_EQ(ModeOf(folder_ / "new"), 0700u);
  EXPECT_EQ(ModeOf(folder_ / "new" / "lock"), 0600u);
}

TEST_F(FileTest, AcquireNamesAFolderThatCannotBe) {
  std::ofstream(folder_ / "plain") << "x";
  const auto lock = FolderLock::Acquire(folder_ / "plain");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, ErrorCode::kIo);
  EXPECT_NE(lock.error().detail.find("plain"), std::string::npos);
}

TEST_F(FileTest, WritesAtomicallyWithTheMode) {
  const fs::path path = folder_ / "file";
  ASSERT_TRUE(WriteFileAtomically(path, "one", 0600));
  ASSERT_TRUE(WriteFileAtomically(path, "two", 0640));
  EXPECT_EQ(*ReadFile(path, 3), "two");
  EXPECT_EQ(ModeOf(path), 0640u);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(FileTest, AFailedWriteLeavesNothing) {
  fs::create_directory(folder_ / "folder");
  EXPECT_FALSE(WriteFileAtomically(folder_ / "folder", "x", 0600));
  EXPECT_FALSE(WriteFileAtomically(folder_ / "missing" / "file", "x", 0600));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(FileTest, ReadRefusesWhatIsMissingOrTooLong) {
  EXPECT_EQ(ReadFile(folder_ / "missing", 10).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(WriteFileAtomically(folder_ / "file", "1234", 0600));
  EXPECT_TRUE(ReadFile(folder_ / "file", 4));
  EXPECT_EQ(ReadFile(folder_ / "file", 3).error().code, ErrorCode::kTooLarge);
}

TEST_F(FileTest, AUniqueFdClosesOnce) {
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  UniqueFd reading(fds[0]);
  {
    UniqueFd writing(fds[1]);
    UniqueFd moved(std::move(writing));
    EXPECT_FALSE(writing.is_open());  // NOLINT: the state after the move is the contract
    EXPECT_TRUE(moved.is_open());
  }
  char byte;
  EXPECT_EQ(::read(reading.get(), &byte, 1), 0);  // the writing end is closed
}

}  // namespace
}  // namespace p402
