#include "store/sqlite/vfs_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "store/sqlite/database.h"

namespace p402::store::sqlite {
namespace {

constexpr mode_t kPrivateMode = 0600;
constexpr size_t kMaxReadBytes = 64 * 1024 * 1024;  // xRead takes an int
// SQLite writes pages, and its file layer takes no more than 128 KiB at once.
constexpr size_t kMaxWriteBytes = 64 * 1024;

Status ToStatus(int code, std::string_view what, const std::string& path) {
  if (code == SQLITE_OK) return {};
  return Failure(SqliteError(code, what, path));
}

}  // namespace

Status MakePrivateFile(const std::filesystem::path& path) {
  UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kPrivateMode));
  struct stat info{};
  if (!file.is_open() || fstat(file.get(), &info) != 0) {
    return Fail(ErrorCode::kIo, fmt::format("{}: {}", path.string(), std::strerror(errno)));
  }
  if ((info.st_mode & 07777) != kPrivateMode && fchmod(file.get(), kPrivateMode) != 0) {
    return Fail(ErrorCode::kIo, fmt::format("chmod {}: {}", path.string(), std::strerror(errno)));
  }
  return SyncFolder(path.parent_path());
}

Result<std::unique_ptr<VfsFile>> VfsFile::Open(const std::filesystem::path& path,
                                               const std::string& vfs) {
  P402_TRY(MakePrivateFile(path));
  sqlite3_vfs* system = sqlite3_vfs_find(vfs.empty() ? nullptr : vfs.c_str());
  if (system == nullptr) return Fail(ErrorCode::kInternal, "no such vfs: " + vfs);
  std::unique_ptr<VfsFile> opened(new VfsFile());
  opened->path_ = path.string();
  // SQLite's own layout of names: the default vfs reads parameters behind the terminating zero.
  opened->name_ =
      sqlite3_create_filename(std::filesystem::absolute(path).c_str(), "", "", 0, nullptr);
  const size_t blocks = static_cast<size_t>(system->szOsFile) / sizeof(std::max_align_t) + 1;
  opened->memory_ = std::make_unique<std::max_align_t[]>(blocks);
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_JOURNAL;
  const int code = system->xOpen(system, opened->name_, opened->file(), flags, nullptr);
  P402_TRY(ToStatus(code, "open", opened->path_));
  return opened;
}

VfsFile::~VfsFile() {
  if (memory_ && file()->pMethods != nullptr) file()->pMethods->xClose(file());
  if (name_ != nullptr) sqlite3_free_filename(name_);
}

Result<uint64_t> VfsFile::Size() {
  sqlite3_int64 size = 0;
  P402_TRY(ToStatus(file()->pMethods->xFileSize(file(), &size), "size", path_));
  return static_cast<uint64_t>(size);
}

Result<std::string> VfsFile::Read(uint64_t offset, size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t done = 0; done < bytes;) {
    const size_t part = std::min(bytes - done, kMaxReadBytes);
    const int code = file()->pMethods->xRead(file(), text.data() + done, static_cast<int>(part),
                                             static_cast<sqlite3_int64>(offset + done));
    P402_TRY(ToStatus(code, "read", path_));
    done += part;
  }
  return text;
}

Status VfsFile::Write(uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, kMaxWriteBytes);
    const int code = file()->pMethods->xWrite(file(), part.data(), static_cast<int>(part.size()),
                                              static_cast<sqlite3_int64>(offset));
    P402_TRY(ToStatus(code, "write", path_));
    offset += part.size();
    bytes.remove_prefix(part.size());
  }
  return {};
}

Status VfsFile::Truncate(uint64_t size) {
  return ToStatus(file()->pMethods->xTruncate(file(), static_cast<sqlite3_int64>(size)), "truncate",
                  path_);
}

Status VfsFile::Sync() {
  return ToStatus(file()->pMethods->xSync(file(), SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY),
                  "sync", path_);
}

}  // namespace p402::store::sqlite
