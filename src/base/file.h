#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace p402 {

// Whether a folder of `mode` and `owner` may hold secrets of the process's `user`: nobody else can
// put files into it. Root may do so anywhere, so it counts as everybody's equal. Others may be able
// to enter it; the files in it have modes of their own.
// Errors: kPermissionDenied, with a public message that names `folder` and what is to be done.
Status CheckFolderIsOwn(const std::filesystem::path& folder, uint32_t mode, uint32_t owner,
                        uint32_t user);

// An exclusive flock on `<folder>/lock` (S5). Held until destruction; the kernel drops it if the
// process dies.
class FolderLock {
 public:
  // Makes the folder with mode 0700 if it is missing.
  // Errors: kLocked if another process (or another FolderLock of this one) holds it, with the
  // public advice to use --server; kPermissionDenied (CheckFolderIsOwn); kIo.
  static Result<std::unique_ptr<FolderLock>> Acquire(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

// An owned file descriptor.
class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int Release();

 private:
  int fd_;
};

// Writes all of `bytes`, without a buffer that would keep a copy.
// Errors: false, and errno says why.
bool WriteAll(int fd, std::string_view bytes);

// Replaces `path` atomically: a new file of `mode` in the same folder, written, fsynced, renamed,
// folder fsynced.
Status WriteFileAtomically(const std::filesystem::path& path, std::string_view bytes,
                           uint32_t mode);
// Errors: kNotFound, kIo, kTooLarge above `max_bytes`.
Result<std::string> ReadFile(const std::filesystem::path& path, size_t max_bytes);
// Makes a created, renamed or deleted entry of `folder` durable.
Status SyncFolder(const std::filesystem::path& folder);

}  // namespace p402
