#include "index/snapshot_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace p402::index {
namespace {

using ::testing::ElementsAre;

const SnapshotLabel kLabel{.store = {1, 2, 3},
                           .from = {.seq = 7, .tag = 0xfedcba9876543210},
                           .through = {.seq = 9, .tag = 42}};

class SnapshotFileTest : public ::testing::Test {
 protected:
  SnapshotFileTest() {
    std::string pattern = ::testing::TempDir() + "p402-snapshot-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ / "index.snapshot";
  }
  ~SnapshotFileTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::vector<SnapshotBlock>& blocks) {
    auto writer = SnapshotFileWriter::Create(path_);
    ASSERT_TRUE(writer);
    for (const auto& block : blocks) ASSERT_TRUE((*writer)->Append(block.payload, block.keys));
    ASSERT_TRUE((*writer)->Finish(kLabel));
  }
  std::string Bytes() {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void Put(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }
  // Everything that can be read, or the first error.
  Result<std::vector<std::string>> Read() {
    P402_TRY(const auto reader, SnapshotFileReader::Open(path_));
    std::vector<std::string> payloads;
    for (;;) {
      P402_TRY(auto block, reader->Next());
      if (!block) return payloads;
      payloads.push_back(std::move(block->payload));
    }
  }
  ErrorCode CodeOf(const std::string& bytes) {
    Put(bytes);
    const auto read = Read();
    return read ? ErrorCode{} : read.error().code;
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
};

TEST_F(SnapshotFileTest, WhatWasWrittenIsRead) {
  const std::string large(SnapshotBlockHead::kMaxPayload, 'x');
  Write({{.keys = 2, .payload = "two"}, {.keys = 0}, {.keys = 3, .payload = large}});
  const auto reader = SnapshotFileReader::Open(path_);
  ASSERT_TRUE(reader);
  SnapshotLabel expected = kLabel;
  expected.keys = 5;
  EXPECT_EQ((*reader)->label(), expected);
  const auto first = (*reader)->Next();
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->keys, 2u);
  const auto read = Read();
  ASSERT_TRUE(read);
  EXPECT_THAT(*read, ElementsAre("two", "", large));
}

TEST_F(SnapshotFileTest, S5_OnlyTheOwnerMayReadIt) {
  umask(0);
  Write({});
  struct stat status{};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(SnapshotFileTest, AnUnfinishedOneLeavesNothingAndReplacesNothing) {
  Write({{.keys = 1, .payload = "old"}});
  {
    auto writer = SnapshotFileWriter::Create(path_);
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->Append("new", 1));
    const std::string large(SnapshotBlockHead::kMaxPayload + 1, 'x');
    EXPECT_EQ((*writer)->Append(large, 1).error().code, ErrorCode::kTooLarge);
  }
  EXPECT_THAT(Names(), ElementsAre("index.snapshot"));
  EXPECT_THAT(*Read(), ElementsAre("old"));
}

TEST_F(SnapshotFileTest, WhatAKilledWriterLeftIsOverwritten) {
  std::ofstream(path_.string() + ".writing") << std::string(10'000, 'z');
  Write({{.keys = 1, .payload = "new"}});
  EXPECT_THAT(Names(), ElementsAre("index.snapshot"));
  EXPECT_THAT(*Read(), ElementsAre("new"));
}

TEST_F(SnapshotFileTest, AMissingOneIsNotFound) {
  EXPECT_EQ(Read().error().code, ErrorCode::kNotFound);
}

// Each byte, each bit that stands for a kind of damage: nothing is ever read from such a file to
// its end.
TEST_F(SnapshotFileTest, EveryDamagedByteIsFound) {
  Write({{.keys = 1, .payload = "one"}, {.keys = 2, .payload = "two two"}});
  const std::string good = Bytes();
  for (size_t at = 0; at < good.size(); ++at) {
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ flip);
      const bool is_format = at >= 8 && at < 12;
      EXPECT_EQ(CodeOf(bad), is_format ? ErrorCode::kConflict : ErrorCode::kCorrupt) << at;
    }
  }
}

TEST_F(SnapshotFileTest, AFileThatWasCutOrHasMoreIsFound) {
  Write({{.keys = 1, .payload = "one"}, {.keys = 2, .payload = "two two"}});
  const std::string good = Bytes();
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(CodeOf(good.substr(0, size)), ErrorCode::kCorrupt) << size;
  }
  EXPECT_EQ(CodeOf(good + '\0'), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(good), ErrorCode{});
}

// The same, with a header that fits the cut file: as if a program with a defect had written it.
TEST_F(SnapshotFileTest, CountsThatDoNotFitAreFound) {
  Write({{.keys = 1, .payload = "one"}, {.keys = 2, .payload = "two"}});
  const std::string good = Bytes();
  const auto header = DecodeSnapshotHeader(good.substr(0, SnapshotHeader::kBytes));
  ASSERT_TRUE(header);
  const auto with = [&](auto change) {
    SnapshotHeader changed = *header;
    change(changed);
    return EncodeSnapshotHeader(changed) + good.substr(SnapshotHeader::kBytes);
  };
  EXPECT_EQ(CodeOf(with([](auto& h) { h.label.keys = 4; })), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(with([](auto& h) { h.label.keys = UINT64_MAX; })), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(with([](auto& h) { h.blocks = 1; })), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(with([](auto& h) { h.blocks = 3; })), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(with([](auto& h) { h.label.from.seq = 0; })), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(with([](auto& h) { h.label.through.seq = 6; })), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(with([](auto&) {})), ErrorCode{});
}

TEST_F(SnapshotFileTest, BlocksInAnotherOrderAreFound) {
  Write({{.keys = 1, .payload = "one"}, {.keys = 1, .payload = "two"}});
  const std::string good = Bytes();
  const std::string header = good.substr(0, SnapshotHeader::kBytes);
  const size_t size = SnapshotBlockHead::kBytes + 3;
  const std::string one = good.substr(SnapshotHeader::kBytes, size);
  const std::string two = good.substr(SnapshotHeader::kBytes + size);
  EXPECT_EQ(CodeOf(header + two + one), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(header + one + one), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(header + one + two), ErrorCode{});
}

TEST_F(SnapshotFileTest, ALengthBeyondTheLimitIsFoundBeforeItIsRead) {
  std::string head(SnapshotBlockHead::kBytes, '\0');
  const uint32_t fits = SnapshotBlockHead::kMaxPayload;
  const uint32_t too_many = fits + 1;
  std::memcpy(head.data() + 8, &fits, sizeof fits);
  EXPECT_TRUE(DecodeSnapshotBlockHead(head, 0));
  std::memcpy(head.data() + 8, &too_many, sizeof too_many);
  EXPECT_FALSE(DecodeSnapshotBlockHead(head, 0));
}

TEST_F(SnapshotFileTest, AFolderThatCannotBeWrittenIsAnError) {
  path_ = folder_ / "missing" / "index.snapshot";
  EXPECT_FALSE(SnapshotFileWriter::Create(path_));
}

}  // namespace
}  // namespace p402::index
