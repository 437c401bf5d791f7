#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "base/typeid.h"

// The file of a snapshot: framing and checksums; what the blocks hold is snapshot.h's. Numbers are
// little endian. Never renumber: another layout is another format version.
//
//   header  128 bytes
//      0  8    "P402SNAP"
//      8  u32  format version
//     12  u32  0
//     16  16   the store's id
//     32  i64  u64   sequence and tag that it holds everything up to
//     48  i64  u64   sequence and tag that it holds nothing after
//     64  u64  keys
//     72  u64  blocks
//     80  u64  bytes of the file
//     88  …    0
//    124  u32  CRC-32 of the 124 bytes before
//
//   block   24 bytes, then the payload
//      0  u64  number, from 0
//      8  u32  bytes of the payload
//     12  u32  keys
//     16  u32  0
//     20  u32  CRC-32 of the 20 bytes before and of the payload
namespace p402::index {

inline constexpr uint32_t kSnapshotFormat = 1;

// A place in a store's log, as far as this floor knows of it.
struct LogPlace {
  int64_t seq = 0;
  uint64_t tag = 0;
  bool operator==(const LogPlace&) const = default;
};

// What a snapshot is a snapshot of. It was taken while changes went on, so it lies between two
// places: of each key it has the version at `from` or a later one, and nothing is later than
// `through`.
struct SnapshotLabel {
  Uuid store{};
  LogPlace from = {};
  LogPlace through = {};
  uint64_t keys = 0;
  bool operator==(const SnapshotLabel&) const = default;
};

struct SnapshotHeader {
  static constexpr size_t kBytes = 128;
  SnapshotLabel label = {};
  uint64_t blocks = 0;
  uint64_t file_bytes = 0;
  bool operator==(const SnapshotHeader&) const = default;
};
std::string EncodeSnapshotHeader(const SnapshotHeader& header);
// Errors: kCorrupt (not a snapshot, or a damaged one), kConflict (another format version).
Result<SnapshotHeader> DecodeSnapshotHeader(std::string_view bytes);

struct SnapshotBlockHead {
  static constexpr size_t kBytes = 24;
  static constexpr uint32_t kMaxPayload = 1 << 20;  // bytes; a reader holds two
  uint64_t number = 0;
  uint32_t payload_bytes = 0;
  uint32_t keys = 0;
  uint32_t checksum = 0;
};
// Errors: kCorrupt unless it is the head of block `number`.
Result<SnapshotBlockHead> DecodeSnapshotBlockHead(std::string_view bytes, uint64_t number);
// Errors: kCorrupt unless the checksum of the head is that of the head and `payload`.
Status CheckSnapshotBlock(std::string_view head, std::string_view payload);

// Writes a file beside `path`, and puts it in its place when it is whole and on the disk.
// Threads: one at a time.
class SnapshotFileWriter {
 public:
  // Mode 0600. What a writer that was killed left behind is overwritten.
  // Errors: kIo.
  static Result<std::unique_ptr<SnapshotFileWriter>> Create(std::filesystem::path path);
  ~SnapshotFileWriter();  // removes what was not finished
  SnapshotFileWriter(const SnapshotFileWriter&) = delete;
  SnapshotFileWriter& operator=(const SnapshotFileWriter&) = delete;

  // Errors: kTooLarge above kMaxPayload, kIo, kResourceExhausted (disk full).
  Status Append(std::string_view payload, uint32_t keys);
  // `label.keys` is filled here. Nothing may follow.
  Status Finish(SnapshotLabel label);
  uint64_t bytes() const { return bytes_; }

 private:
  SnapshotFileWriter(std::filesystem::path path, std::filesystem::path temporary, UniqueFd file);

  const std::filesystem::path path_;
  const std::filesystem::path temporary_;
  UniqueFd file_;
  uint64_t bytes_ = SnapshotHeader::kBytes;
  uint64_t unsynced_bytes_ = 0;
  uint64_t blocks_ = 0;
  uint64_t keys_ = 0;
  bool is_finished_ = false;
};

struct SnapshotBlock {
  uint32_t keys = 0;
  std::string payload = {};
};

// Threads: one at a time.
class SnapshotFileReader {
 public:
  // Reads the header.
  // Errors: kNotFound, kIo, and those of DecodeSnapshotHeader; kCorrupt also for a file of another
  //         length than it should have.
  static Result<std::unique_ptr<SnapshotFileReader>> Open(const std::filesystem::path& path);

  const SnapshotLabel& label() const { return header_.label; }
  // The next block, or nullopt after the last.
  // Errors: kIo; kCorrupt for any damage, also if the blocks are not as many or have not as many
  //         keys as the header says.
  Result<std::optional<SnapshotBlock>> Next();

 private:
  SnapshotFileReader(std::filesystem::path path, UniqueFd file, const SnapshotHeader& header)
      : path_(std::move(path)), file_(std::move(file)), header_(header) {}
  Status Read(std::string& out, size_t bytes);

  const std::filesystem::path path_;
  const UniqueFd file_;
  const SnapshotHeader header_;
  uint64_t offset_ = SnapshotHeader::kBytes;
  uint64_t block_ = 0;
  uint64_t keys_ = 0;
  std::string head_;
};

}  // namespace p402::index
