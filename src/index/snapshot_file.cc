#include "index/snapshot_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

namespace p402::index {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "P402SNAP";
// What is written is sent to the disk in parts of this size, so that the flush of a commit never
// waits for gigabytes.
constexpr uint64_t kSyncBytes = 8 << 20;

template <class T>
void Set(std::string& bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}
template <class T>
T Get(std::string_view bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

Failure Damaged(std::string_view what) {
  return Fail(ErrorCode::kCorrupt, fmt::format("the snapshot is damaged: {}", what));
}

Failure SystemError(std::string_view what, const std::filesystem::path& path) {
  const int error = errno;
  const ErrorCode code = error == ENOENT   ? ErrorCode::kNotFound
                         : error == ENOSPC ? ErrorCode::kResourceExhausted
                                           : ErrorCode::kIo;
  return Fail(code, fmt::format("{} {}: {}", what, path.string(), std::strerror(error)));
}

// zlib's, which is made for long texts; base's is for raw keys.
uint32_t Crc(std::string_view bytes, uint32_t before = 0) {
  return static_cast<uint32_t>(
      crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::string EncodeBlockHead(const SnapshotBlockHead& head) {
  std::string bytes(SnapshotBlockHead::kBytes, '\0');
  Set(bytes, 0, head.number);
  Set(bytes, 8, head.payload_bytes);
  Set(bytes, 12, head.keys);
  return bytes;
}

uint32_t BlockChecksum(std::string_view head, std::string_view payload) {
  return Crc(payload, Crc(head.substr(0, 20)));
}

Status WriteAt(int file, uint64_t offset, std::string_view bytes,
               const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return {};
}

}  // namespace

std::string EncodeSnapshotHeader(const SnapshotHeader& header) {
  std::string bytes(SnapshotHeader::kBytes, '\0');
  kMagic.copy(bytes.data(), kMagic.size());
  Set(bytes, 8, kSnapshotFormat);
  std::memcpy(bytes.data() + 16, header.label.store.data(), header.label.store.size());
  Set(bytes, 32, header.label.from.seq);
  Set(bytes, 40, header.label.from.tag);
  Set(bytes, 48, header.label.through.seq);
  Set(bytes, 56, header.label.through.tag);
  Set(bytes, 64, header.label.keys);
  Set(bytes, 72, header.blocks);
  Set(bytes, 80, header.file_bytes);
  Set(bytes, 124, Crc(std::string_view(bytes).substr(0, 124)));
  return bytes;
}

Result<SnapshotHeader> DecodeSnapshotHeader(std::string_view bytes) {
  if (bytes.size() != SnapshotHeader::kBytes || !bytes.starts_with(kMagic)) {
    return Fail(ErrorCode::kCorrupt, "this is no snapshot");
  }
  if (const auto format = Get<uint32_t>(bytes, 8); format != kSnapshotFormat) {
    return Fail(ErrorCode::kConflict,
                fmt::format("the snapshot has format {}, not {}", format, kSnapshotFormat));
  }
  if (Get<uint32_t>(bytes, 124) != Crc(bytes.substr(0, 124))) return Damaged("header");
  SnapshotHeader header;
  std::memcpy(header.label.store.data(), bytes.data() + 16, header.label.store.size());
  header.label.from = {Get<int64_t>(bytes, 32), Get<uint64_t>(bytes, 40)};
  header.label.through = {Get<int64_t>(bytes, 48), Get<uint64_t>(bytes, 56)};
  header.label.keys = Get<uint64_t>(bytes, 64);
  header.blocks = Get<uint64_t>(bytes, 72);
  header.file_bytes = Get<uint64_t>(bytes, 80);
  // Byte for byte what EncodeSnapshotHeader writes: nothing is hidden in the unused parts.
  if (EncodeSnapshotHeader(header) != bytes) return Damaged("header");
  if (header.label.from.seq < 1 || header.label.through.seq < header.label.from.seq) {
    return Damaged("places");
  }
  if (header.label.keys > header.file_bytes) return Damaged("its counts");
  return header;
}

Result<SnapshotBlockHead> DecodeSnapshotBlockHead(std::string_view bytes, uint64_t number) {
  if (bytes.size() != SnapshotBlockHead::kBytes) return Damaged("the head of a block");
  const SnapshotBlockHead head{.number = Get<uint64_t>(bytes, 0),
                               .payload_bytes = Get<uint32_t>(bytes, 8),
                               .keys = Get<uint32_t>(bytes, 12),
                               .checksum = Get<uint32_t>(bytes, 20)};
  if (head.number != number || head.payload_bytes > SnapshotBlockHead::kMaxPayload ||
      Get<uint32_t>(bytes, 16) != 0) {
    return Damaged(fmt::format("the head of block {}", number));
  }
  return head;
}

Status CheckSnapshotBlock(std::string_view head, std::string_view payload) {
  if (Get<uint32_t>(head, 20) == BlockChecksum(head, payload)) return {};
  return Damaged(fmt::format("block {}", Get<uint64_t>(head, 0)));
}

SnapshotFileWriter::SnapshotFileWriter(std::filesystem::path path, std::filesystem::path temporary,
                                       UniqueFd file)
    : path_(std::move(path)), temporary_(std::move(temporary)), file_(std::move(file)) {}

Result<std::unique_ptr<SnapshotFileWriter>> SnapshotFileWriter::Create(std::filesystem::path path) {
  std::filesystem::path temporary = path.string() + ".writing";
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  UniqueFd file(::open(temporary.c_str(), kFlags, 0600));
  if (!file.is_open()) return SystemError("create", temporary);
  return std::unique_ptr<SnapshotFileWriter>(
      new SnapshotFileWriter(std::move(path), std::move(temporary), std::move(file)));
}

SnapshotFileWriter::~SnapshotFileWriter() {
  if (!is_finished_) ::unlink(temporary_.c_str());
}

Status SnapshotFileWriter::Append(std::string_view payload, uint32_t keys) {
  if (payload.size() > SnapshotBlockHead::kMaxPayload) {
    return Fail(ErrorCode::kTooLarge, "a block of a snapshot is too large");
  }
  std::string head = EncodeBlockHead(
      {.number = blocks_, .payload_bytes = static_cast<uint32_t>(payload.size()), .keys = keys});
  Set(head, 20, BlockChecksum(head, payload));
  P402_TRY(WriteAt(file_.get(), bytes_, head, temporary_));
  P402_TRY(WriteAt(file_.get(), bytes_ + head.size(), payload, temporary_));
  ++blocks_;
  keys_ += keys;
  bytes_ += head.size() + payload.size();
  unsynced_bytes_ += head.size() + payload.size();
  if (unsynced_bytes_ < kSyncBytes) return {};
  unsynced_bytes_ = 0;
  if (::fdatasync(file_.get()) != 0) return SystemError("fdatasync", temporary_);
  return {};
}

Status SnapshotFileWriter::Finish(SnapshotLabel label) {
  label.keys = keys_;
  const std::string header =
      EncodeSnapshotHeader({.label = label, .blocks = blocks_, .file_bytes = bytes_});
  P402_TRY(WriteAt(file_.get(), 0, header, temporary_));
  if (::fsync(file_.get()) != 0) return SystemError("fsync", temporary_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return SystemError("rename", temporary_);
  is_finished_ = true;
  return SyncFolder(path_.parent_path());
}

Result<std::unique_ptr<SnapshotFileReader>> SnapshotFileReader::Open(
    const std::filesystem::path& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open()) return SystemError("open", path);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return SystemError("stat", path);
  std::string bytes(SnapshotHeader::kBytes, '\0');
  const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), 0);
  if (got < 0) return SystemError("read", path);
  bytes.resize(static_cast<size_t>(got));
  P402_TRY(const SnapshotHeader header, DecodeSnapshotHeader(bytes));
  if (header.file_bytes != static_cast<uint64_t>(status.st_size)) return Damaged("its length");
  ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::unique_ptr<SnapshotFileReader>(new SnapshotFileReader(path, std::move(file), header));
}

Status SnapshotFileReader::Read(std::string& out, size_t bytes) {
  if (header_.file_bytes - offset_ < bytes) return Damaged("it ends early");
  out.resize(bytes);
  for (size_t done = 0; done < bytes;) {
    const ssize_t got =
        ::pread(file_.get(), out.data() + done, bytes - done, static_cast<off_t>(offset_ + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("read", path_);
    if (got == 0) return Damaged("it ends early");
    done += static_cast<size_t>(got);
  }
  offset_ += bytes;
  return {};
}

Result<std::optional<SnapshotBlock>> SnapshotFileReader::Next() {
  if (block_ == header_.blocks) {
    if (offset_ != header_.file_bytes || keys_ != header_.label.keys) return Damaged("its counts");
    return std::nullopt;
  }
  P402_TRY(Read(head_, SnapshotBlockHead::kBytes));
  P402_TRY(const SnapshotBlockHead head, DecodeSnapshotBlockHead(head_, block_));
  SnapshotBlock block{.keys = head.keys};
  P402_TRY(Read(block.payload, head.payload_bytes));
  P402_TRY(CheckSnapshotBlock(head_, block.payload));
  ++block_;
  keys_ += head.keys;
  return block;
}

}  // namespace p402::index
