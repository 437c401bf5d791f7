#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "index/index.h"
#include "index/snapshot_file.h"

// What the blocks of a snapshot hold: keys, each as
//
//   0  32   digest
//  32  16   id
//  48  u32  account: its number; the number after the largest so far stands for a new one
//  52  u32  scope set: the same
//  56  u8   1: mode test; 2: disabled
//  57  [16: the account, if it is new] [u32 length and text of the scope set, if it is new]
//      facts (facts.h)
//
// No times of last use: those that are written are in the store, and an older snapshot of them
// would be wrong (L2). No raw key: the index has none.
namespace p402::index {

// In a data folder.
inline constexpr std::string_view kSnapshotName = "index.snapshot";

// Makes payloads.
// Threads: one at a time.
class SnapshotEncoder {
 public:
  void Add(const View& key);
  std::string_view payload() const { return payload_; }
  uint32_t keys() const { return keys_; }
  // Begins the next payload of the same snapshot.
  void Next();

 private:
  struct Hash {
    size_t operator()(const key::AccountId& id) const;
  };
  std::string payload_;
  uint32_t keys_ = 0;
  std::unordered_map<key::AccountId, uint32_t, Hash> accounts_;
  std::map<std::string, uint32_t, std::less<>> scope_sets_;  // no hash that tenants could flood
};

// Reads the payloads of one snapshot, in order.
// Threads: one at a time.
class SnapshotDecoder {
 public:
  // Lifetime: the images point into `payload` and this decoder.
  // Errors: kCorrupt for anything that SnapshotEncoder cannot have written.
  Result<std::vector<KeyImage>> Decode(std::string_view payload, uint32_t keys);

 private:
  std::deque<key::AccountId> accounts_;
  std::deque<std::string> scope_sets_;
};

// Writes every key of `index` into `file`, which is to be finished afterwards. A key that is changed
// meanwhile is there in its version before or after. `should_stop` is asked for each block.
// Threads: any; the index is read and changed meanwhile.
// Requires: no Index::Clear() meanwhile.
// Errors: those of the file; kUnavailable when stopped.
Status WriteKeys(const Index& index, SnapshotFileWriter& file,
                 const std::function<bool()>& should_stop);

// Some keys of a snapshot, with the memory that they point into.
struct KeyBlock {
  std::shared_ptr<const SnapshotDecoder> decoder = {};
  std::unique_ptr<SnapshotBlock> block = {};
  std::vector<KeyImage> keys = {};
};

// A snapshot file, checked and decoded block by block.
// Threads: one at a time.
class SnapshotReader {
 public:
  // Errors: those of SnapshotFileReader::Open.
  static Result<std::unique_ptr<SnapshotReader>> Open(const std::filesystem::path& path);
  const SnapshotLabel& label() const { return file_->label(); }
  // nullopt after the last.
  // Errors: kIo, kCorrupt.
  Result<std::optional<KeyBlock>> Next();

 private:
  explicit SnapshotReader(std::unique_ptr<SnapshotFileReader> file) : file_(std::move(file)) {}
  std::unique_ptr<SnapshotFileReader> file_;
  std::shared_ptr<SnapshotDecoder> decoder_ = std::make_shared<SnapshotDecoder>();
};

}  // namespace p402::index
