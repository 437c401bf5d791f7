#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstring>
#include <system_error>

#include "api/core.h"
#include "api/handlers.h"
#include "api/routes.h"
#include "base/file.h"

namespace p402::api {
namespace {

// The file at `path`, which has no name any more afterwards: whatever happens, it is gone when it
// has been sent.
Result<net::Response> TakeFile(const std::filesystem::path& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  const int open_error = errno;
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  if (!file.is_open()) {
    return Fail(ErrorCode::kIo, fmt::format("open backup: {}", std::strerror(open_error)));
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) {
    return Fail(ErrorCode::kIo, fmt::format("stat backup: {}", std::strerror(errno)));
  }
  net::Response response;
  response.content_type = "application/vnd.sqlite3";
  response.headers.emplace_back("Content-Disposition", R"(attachment; filename="p402-backup.db")");
  response.file = std::move(file);
  response.file_bytes = static_cast<uint64_t>(status.st_size);
  return response;
}

void SendBackup(Call call, const std::filesystem::path& path, const Status& written) {
  call.core.EndBackup();
  auto response = TakeFile(path);
  if (!written) return SendError(std::move(call), written.error());
  if (!response) return SendError(std::move(call), response.error());
  SendRead(std::move(call), *std::move(response));
}

}  // namespace

void BackUp(Call call, const net::Request&) {
  if (!call.core.TryStartBackup()) {
    Problem busy = ProblemOf("too_many_requests", 429);
    busy.detail = "Another backup is being written.";
    return SendProblem(std::move(call), busy);
  }
  const auto path = call.core.options().backup_folder /
                    EncodeTypeId(store::kBackupPrefix, call.core.parts().ids.Next());
  auto& store = call.core.parts().store;
  Executor& executor = call.responder.executor();
  store.Backup(path, Callback<Status>(
                         executor, [call = std::move(call), path](const Status& written) mutable {
                           SendBackup(std::move(call), path, written);
                         }));
}

}  // namespace p402::api
