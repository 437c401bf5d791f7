#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace p402 {
namespace {

Failure IoFailure(std::string_view what, const std::filesystem::path& path, int error) {
  return Fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
              fmt::format("{} {}: {}", what, path.string(), std::strerror(error)));
}

Failure NotOwn(std::string text) {
  return Failure(Error{.code = ErrorCode::kPermissionDenied,
                       .detail = text,
                       .public_message = std::move(text),
                       .field = {}});
}

}  // namespace

Status CheckFolderIsOwn(const std::filesystem::path& folder, uint32_t mode, uint32_t owner,
                        uint32_t user) {
  if (owner != user && owner != 0 && user != 0) {
    return NotOwn(fmt::format(
        "the data folder {} (mode {:04o}) belongs to user {}, and this is user {}: run p402 as its "
        "owner, or give it away with: chown -R {} '{}' && chmod 700 '{}'",
        folder.string(), mode & 07777, owner, user, user, folder.string(), folder.string()));
  }
  if ((mode & (S_IWGRP | S_IWOTH)) != 0) {
    return NotOwn(fmt::format(
        "other users can write to the data folder {} (mode {:04o}), and so replace what is in it: "
        "chmod 700 '{}'",
        folder.string(), mode & 07777, folder.string()));
  }
  return {};
}

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.Release();
  }
  return *this;
}

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) ::close(fd_);
}

int UniqueFd::Release() {
  return std::exchange(fd_, -1);
}

Result<std::unique_ptr<FolderLock>> FolderLock::Acquire(const std::filesystem::path& folder) {
  std::error_code error;
  if (std::filesystem::create_directories(folder, error)) {
    ::chmod(folder.c_str(), 0700);
  }
  if (error) {
    return Fail(ErrorCode::kIo, fmt::format("make {}: {}", folder.string(), error.message()));
  }
  struct stat info{};
  if (::stat(folder.c_str(), &info) != 0) return IoFailure("stat", folder, errno);
  P402_TRY(CheckFolderIsOwn(folder, info.st_mode, info.st_uid, ::geteuid()));
  const auto path = folder / "lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.is_open()) return IoFailure("open", path, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return IoFailure("flock", path, errno);
    const std::string text = fmt::format(
        "another p402 is using {}; use --server or P402_URL to talk to it", folder.string());
    return Failure(
        Error{.code = ErrorCode::kLocked, .detail = text, .public_message = text, .field = {}});
  }
  // Who holds it, for people; the lock itself is the flock.
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd.get(), 0) == 0) {
    [[maybe_unused]] const auto written = ::pwrite(fd.get(), pid.data(), pid.size(), 0);
  }
  return std::unique_ptr<FolderLock>(new FolderLock(fd.Release()));
}

FolderLock::~FolderLock() {
  ::close(fd_);
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

Status SyncFolder(const std::filesystem::path& folder) {
  const auto path = folder.empty() ? std::filesystem::path(".") : folder;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open()) return IoFailure("open", path, errno);
  if (::fsync(fd.get()) != 0) return IoFailure("fsync", path, errno);
  return {};
}

Status WriteFileAtomically(const std::filesystem::path& path, std::string_view bytes,
                           uint32_t mode) {
  std::string temporary = path.string() + ".XXXXXX";
  const UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.is_open()) return IoFailure("create", temporary, errno);
  const auto write = [&]() -> Status {
    if (::fchmod(fd.get(), static_cast<mode_t>(mode)) != 0) {
      return IoFailure("chmod", temporary, errno);
    }
    if (!WriteAll(fd.get(), bytes)) return IoFailure("write", temporary, errno);
    if (::fsync(fd.get()) != 0) return IoFailure("fsync", temporary, errno);
    if (::rename(temporary.c_str(), path.c_str()) != 0) return IoFailure("rename", path, errno);
    return SyncFolder(path.parent_path());
  };
  Status written = write();
  if (!written) ::unlink(temporary.c_str());
  return written;
}

Result<std::string> ReadFile(const std::filesystem::path& path, size_t max_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) return IoFailure("open", path, errno);
  std::string bytes;
  char part[16384];
  for (;;) {
    const ssize_t count = ::read(fd.get(), part, sizeof(part));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return IoFailure("read", path, errno);
    if (count == 0) return bytes;
    bytes.append(part, static_cast<size_t>(count));
    if (bytes.size() > max_bytes) {
      return Fail(ErrorCode::kTooLarge,
                  fmt::format("{} has more than {} bytes", path.string(), max_bytes));
    }
  }
}

}  // namespace p402
