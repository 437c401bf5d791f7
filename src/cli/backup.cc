#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "cli/session.h"

namespace p402::cli {
namespace {

struct Options {
  Common common = {};
  std::string file = {};
  bool force = false;
};

// A file that takes its name only when it is whole and durable; until then it is FILE.tmp.
class PartialFile {
 public:
  explicit PartialFile(std::filesystem::path target)
      : target_(std::move(target)), part_(target_.string() + ".tmp") {}
  ~PartialFile() {
    if (fd_.is_open()) ::unlink(part_.c_str());
  }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  Status Create() {
    ::unlink(part_.c_str());  // of a run that was cut off
    fd_ = UniqueFd(::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                          S_IRUSR | S_IWUSR));
    return fd_.is_open() ? Status{} : Failed("create", part_);
  }

  bool Append(std::string_view part) {
    if (!WriteAll(fd_.get(), part)) return false;
    bytes_ += part.size();
    return true;
  }

  Status Finish(bool may_replace) {
    if (::fsync(fd_.get()) != 0) return Failed("write", part_);
    const unsigned flags = may_replace ? 0U : static_cast<unsigned>(RENAME_NOREPLACE);
    if (::renameat2(AT_FDCWD, part_.c_str(), AT_FDCWD, target_.c_str(), flags) != 0) {
      return Failed("name", target_);
    }
    fd_ = UniqueFd();
    const auto folder = target_.parent_path();
    return SyncFolder(folder.empty() ? "." : folder);
  }

  uint64_t bytes() const { return bytes_; }

 private:
  static Status Failed(std::string_view what, const std::filesystem::path& path) {
    return Fail(ErrorCode::kIo,
                fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
  }
  std::filesystem::path target_;
  std::filesystem::path part_;
  UniqueFd fd_;
  uint64_t bytes_ = 0;
};

int Fetch(Session& session, const Options& options) {
  const Process& process = session.process();
  PartialFile file(options.file);
  if (auto status = file.Create(); !status) {
    return Complain(process, status.error().detail, kRefused);
  }
  const auto response =
      session.Send({.method = "POST",
                    .path = "/api/v2/backup",
                    .timeout = std::chrono::hours(6),
                    .sink = [&](std::string_view part) { return file.Append(part); }});
  if (!response) return response.error();
  const auto type = response->headers.find("content-type");
  if (type == response->headers.end() || type->second != "application/vnd.sqlite3") {
    return Complain(process, "the server answered, but not with a backup", kUnreachable);
  }
  if (auto status = file.Finish(options.force); !status) {
    return Complain(process, status.error().detail, kRefused);
  }
  if (session.is_json()) {
    std::string line = fmt::format("{{\"bytes\":{}}}\n", file.bytes());
    process.console.Out(line);
  } else {
    session.Note(fmt::format("{} bytes in {}", file.bytes(), options.file));
  }
  return kDone;
}

int Run(const Process& process, const Options& options) {
  std::error_code error;
  const auto present = std::filesystem::symlink_status(options.file, error);
  if (!options.force && std::filesystem::exists(present)) {
    return Complain(process, options.file + " exists already: --force replaces it", kUsage);
  }
  auto session = Session::Open(process, options.common);
  return session ? Fetch(*session, options) : session.error();
}

}  // namespace

void RegisterBackup(CLI::App& root, Context& context) {
  auto& command = AddCommand(root, "backup", "Copy the whole store of a running server into a file",
                             "p402 backup p402-backup.db");
  auto options = std::make_shared<Options>();
  command.add_option("FILE", options->file, "Where to; only you may read it (mode 0600)")
      ->required()
      ->type_name("");
  command.add_flag("--force", options->force, "Replace a file that exists");
  AddCommon(command, options->common);
  command.callback([&context, options] {
    context.chosen = [&context, options] { return Run(context.process, *options); };
  });
}

}  // namespace p402::cli
