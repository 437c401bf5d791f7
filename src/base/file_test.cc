#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace p402 {
namespace {

namespace fs = std::filesystem;

class File : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "p402-file-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  static uint32_t ModeOf(const fs::path& path) {
    struct stat info{};
    EXPECT_EQ(::lstat(path.c_str(), &info), 0);
    return info.st_mode & 07777;
  }
  static size_t EntriesIn(const fs::path& folder) {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
  }

  fs::path folder_;
};

using FolderLockTest = File;

TEST_F(FolderLockTest, S5_ASecondHolderIsRefusedAndToldAboutTheServer) {
  auto first = FolderLock::Acquire(folder_);
  ASSERT_TRUE(first);
  const auto second = FolderLock::Acquire(folder_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kLocked);
  EXPECT_NE(second.error().public_message.find("--server"), std::string::npos);
  first->reset();
  EXPECT_TRUE(FolderLock::Acquire(folder_));
}

TEST_F(FolderLockTest, S5_AFolderThatOthersCanWriteToIsRefused) {
  for (const auto& [mode, text] : {std::pair{0770, "0770"}, {0702, "0702"}, {01777, "1777"}}) {
    ASSERT_EQ(::chmod(folder_.c_str(), static_cast<mode_t>(mode)), 0);
    const auto refused = FolderLock::Acquire(folder_);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
    const std::string& message = refused.error().public_message;
    EXPECT_NE(message.find(text), std::string::npos) << message;
    EXPECT_NE(message.find("chmod 700 '" + folder_.string() + "'"), std::string::npos) << message;
    EXPECT_EQ(EntriesIn(folder_), 0u) << "nothing was written";
  }
  for (const mode_t mode : {0700, 0750, 0755}) {
    ASSERT_EQ(::chmod(folder_.c_str(), mode), 0);
    EXPECT_TRUE(FolderLock::Acquire(folder_)) << mode;
  }
}

TEST_F(FolderLockTest, S5_AnotherUsersFolderIsRefused) {
  EXPECT_TRUE(CheckFolderIsOwn("/data", S_IFDIR | 0700, 1000, 1000));
  EXPECT_TRUE(CheckFolderIsOwn("/data", S_IFDIR | 0755, 0, 1000)) << "root's";
  EXPECT_TRUE(CheckFolderIsOwn("/data", S_IFDIR | 0700, 1000, 0)) << "by root";
  const auto refused = CheckFolderIsOwn("/data", S_IFDIR | 0700, 1001, 1000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
  for (const char* word : {"/data", "0700", "1001", "1000", "chmod 700"}) {
    EXPECT_NE(refused.error().public_message.find(word), std::string::npos) << word;
  }
  EXPECT_FALSE(CheckFolderIsOwn("/data", S_IFDIR | 0777, 0, 0)) << "root is no exception to this";
}

TEST_F(FolderLockTest, S5_AnotherProcessIsRefusedAndDeathReleases) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto lock = FolderLock::Acquire(folder_);
    const char answer = lock ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) == 1) ::pause();
    ::_exit(1);
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_FALSE(FolderLock::Acquire(folder_));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(FolderLock::Acquire(folder_));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(FolderLockTest, SaysWhoHoldsIt) {
  const auto lock = FolderLock::Acquire(folder_);
  ASSERT_TRUE(lock);
  EXPECT_EQ(ReadFile(folder_ / "lock", 100).value(), std::to_string(::getpid()) + "\n");
}

TEST_F(FolderLockTest, IsNotInheritedByAProgramThatIsStarted) {
  const auto lock = FolderLock::Acquire(folder_);
  ASSERT_TRUE(lock);
  size_t found = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (fs::read_symlink(entry.path(), error) != fs::canonical(folder_) / "lock") continue;
    const int fd = std::stoi(entry.path().filename().string());
    EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC);
    ++found;
  }
  EXPECT_EQ(found, 1u);
}

TEST_F(FolderLockTest, MakesTheFolderForItsOwnerAlone) {
  for (const char* name : {"new/data", "other/"}) {
    const auto lock = FolderLock::Acquire(folder_ / name);
    ASSERT_TRUE(lock) << name;
    EXPECT_EQ(ModeOf(folder_ / name), 0700u);
    EXPECT_EQ(ModeOf(folder_ / name / "lock"), 0600u);
  }
}

TEST_F(FolderLockTest, AFolderThatCannotBeMadeIsAnIoFailure) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "file", "x", 0600));
  for (const auto& folder : {folder_ / "file", folder_ / "file" / "data"}) {
    const auto lock = FolderLock::Acquire(folder);
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().code, ErrorCode::kIo);
    EXPECT_NE(lock.error().detail.find(folder.string()), std::string::npos);
  }
}

TEST_F(FolderLockTest, DoesNotFollowALink) {
  fs::create_symlink(folder_ / "elsewhere", folder_ / "lock");
  EXPECT_FALSE(FolderLock::Acquire(folder_));
  EXPECT_FALSE(fs::exists(folder_ / "elsewhere"));
}

TEST_F(File, WritesAllOrNothing) {
  const fs::path path = folder_ / "journal";
  ASSERT_TRUE(WriteFileAtomically(path, "first", 0600));
  EXPECT_EQ(ModeOf(path), 0600u);
  ASSERT_TRUE(WriteFileAtomically(path, std::string(100'000, 'x'), 0640));
  EXPECT_EQ(ReadFile(path, 100'000).value(), std::string(100'000, 'x'));
  EXPECT_EQ(ModeOf(path), 0640u);
  EXPECT_EQ(EntriesIn(folder_), 1u);
}

TEST_F(File, AFailedWriteLeavesNothingBehind) {
  fs::create_directories(folder_ / "target" / "full");
  EXPECT_EQ(WriteFileAtomically(folder_ / "target", "x", 0600).error().code, ErrorCode::kIo);
  EXPECT_EQ(EntriesIn(folder_), 1u);
  EXPECT_EQ(WriteFileAtomically(folder_ / "no" / "file", "x", 0600).error().code,
            ErrorCode::kNotFound);
}

TEST_F(File, ReadsUpToItsLimit) {
  const fs::path path = folder_ / "file";
  ASSERT_TRUE(WriteFileAtomically(path, "12345", 0600));
  EXPECT_EQ(ReadFile(path, 5).value(), "12345");
  EXPECT_EQ(ReadFile(path, 4).error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(ReadFile(folder_ / "missing", 4).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(ReadFile(folder_, 4).error().code, ErrorCode::kIo);
  ASSERT_TRUE(WriteFileAtomically(path, "", 0600));
  EXPECT_EQ(ReadFile(path, 0).value(), "");
}

TEST_F(File, SyncsAFolder) {
  EXPECT_TRUE(SyncFolder(folder_));
  EXPECT_TRUE(SyncFolder({}));
  EXPECT_EQ(SyncFolder(folder_ / "missing").error().code, ErrorCode::kNotFound);
}

bool IsOpen(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(UniqueFd, ClosesWhatItOwns) {
  const int number = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(number, 0);
  {
    UniqueFd first(number);
    UniqueFd second(std::move(first));
    EXPECT_FALSE(first.is_open());  // NOLINT(bugprone-use-after-move): it is specified
    EXPECT_EQ(second.get(), number);
    UniqueFd third(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const int other = third.get();
    third = std::move(second);
    EXPECT_EQ(third.get(), number);
    EXPECT_FALSE(IsOpen(other));
    EXPECT_TRUE(IsOpen(number));
  }
  EXPECT_FALSE(IsOpen(number));
}

TEST(UniqueFd, LetsGoOfWhatIsReleased) {
  int number = -1;
  {
    UniqueFd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    number = fd.Release();
    EXPECT_FALSE(fd.is_open());
  }
  EXPECT_TRUE(IsOpen(number));
  ::close(number);
}

TEST_F(File, WriteAllWritesEverythingOrSaysNo) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  EXPECT_TRUE(WriteAll(writer.get(), "both halves"));
  EXPECT_TRUE(WriteAll(writer.get(), ""));
  char got[32];
  EXPECT_EQ(::read(reader.get(), got, sizeof got), 11);
  writer = UniqueFd(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(writer.is_open());
  EXPECT_FALSE(WriteAll(writer.get(), "x"));
  EXPECT_EQ(errno, ENOSPC);
}

}  // namespace
}  // namespace p402
