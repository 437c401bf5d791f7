#include "store/sqlite/backup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/typeid.h"
#include "store/store.h"

namespace p402::store::sqlite {
namespace {

std::string Reason(const std::filesystem::path& path) {
  return fmt::format("{}: {}", path.string(), std::strerror(errno));
}

Status MakeNewFile(const std::filesystem::path& path) {
  UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.is_open()) return {};
  return Fail(errno == EEXIST ? ErrorCode::kConflict : ErrorCode::kIo, Reason(path));
}

Status SyncFile(const std::filesystem::path& path) {
  UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open() || fsync(file.get()) != 0) return Fail(ErrorCode::kIo, Reason(path));
  return SyncFolder(path.parent_path().empty() ? "." : path.parent_path());
}

Status CopyPages(Database& source, Database& target) {
  sqlite3_backup* backup = sqlite3_backup_init(target.handle(), "main", source.handle(), "main");
  if (backup != nullptr) {
    // All pages in one step: one read transaction, so that no write makes it start again.
    sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
  }
  const int code = sqlite3_extended_errcode(target.handle());
  if (code != SQLITE_OK) {
    return Failure(SqliteError(code, "backup", sqlite3_errmsg(target.handle())));
  }
  // The copy says that it has a write-ahead log, as the source has; it is to be one whole file.
  return target.Execute("PRAGMA journal_mode=DELETE");
}

Status FillFile(Database& source, const std::filesystem::path& path, const std::string& vfs) {
  {
    P402_TRY(auto target, Database::Open({.file = path, .synchronous_full = false, .vfs = vfs}));
    P402_TRY(target->Execute("PRAGMA locking_mode=EXCLUSIVE"));
    P402_TRY(CopyPages(source, *target));
  }
  return SyncFile(path);
}

bool IsBackupName(std::string_view name) {
  for (const std::string_view suffix : {"-journal", "-wal", "-shm"}) {
    if (!name.ends_with(suffix)) continue;
    name.remove_suffix(suffix.size());
    break;
  }
  const auto id = DecodeTypeId(name);
  return id && id->prefix == kBackupPrefix;
}

}  // namespace

Status CopyDatabase(Database& source, const std::filesystem::path& target, const std::string& vfs) {
  P402_TRY(MakeNewFile(target));
  Status status = FillFile(source, target, vfs);
  if (!status) {
    std::error_code ignored;
    std::filesystem::remove(target, ignored);
  }
  return status;
}

Result<int> RemoveLeftBackups(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> left;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code ignored;
    const bool is_file = std::filesystem::is_regular_file(it->symlink_status(ignored));
    if (is_file && IsBackupName(it->path().filename().string())) left.push_back(it->path());
  }
  for (const auto& path : left) {
    if (!error) std::filesystem::remove(path, error);
  }
  if (error) return Fail(ErrorCode::kIo, fmt::format("{}: {}", folder.string(), error.message()));
  return static_cast<int>(left.size());
}

}  // namespace p402::store::sqlite
