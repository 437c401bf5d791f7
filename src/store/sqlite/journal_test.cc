#include "store/sqlite/journal.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/base62.h"
#include "base/file.h"
#include "store/testing/fault_vfs.h"
#include "store/testing/temp_folder.h"

namespace p402::store::sqlite {
namespace {

using store::testing::FaultVfs;
using store::testing::TempFolder;

Revocation Example(int number) {
  Revocation revocation{.seq = number, .key = {}, .account = {}};
  revocation.key.uuid.fill(static_cast<uint8_t>(number));
  revocation.account.uuid.fill(0x11);
  revocation.revoked_at = WallTime(Millis(1'776'254'400'000 + number));
  return revocation;
}

std::string LineOf(const Revocation& revocation) {
  std::string line = FormatRevocation(revocation);
  line.pop_back();
  return line;
}

Uuid StoreIdOf(uint8_t byte) {
  Uuid id;
  id.fill(byte);
  return id;
}

class JournalTest : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / kJournalName; }
  std::string Text() const { return *ReadFile(file(), 1 << 20); }
  void SetText(const std::string& text) { std::ofstream(file(), std::ios::binary) << text; }
  Result<std::unique_ptr<Journal>> Open(const std::string& vfs = {}) {
    return Journal::Open(folder_.path(), id_, vfs);
  }
  std::vector<Revocation> Found() {
    auto journal = Open();
    EXPECT_TRUE(journal) << journal.error().detail;
    return journal ? (*journal)->TakeFound() : std::vector<Revocation>{};
  }

  TempFolder folder_;
  const Uuid id_ = StoreIdOf(0xab);
  const std::string head_ = FormatJournalHead(id_);
  const std::string one_ = FormatRevocation(Example(1));
  const std::string two_ = FormatRevocation(Example(2));
  const std::string three_ = FormatRevocation(Example(3));
};

TEST_F(JournalTest, C5_TheFormatNeverChanges) {
  EXPECT_EQ(head_, "p402-revocations 1 abababababababababababababababab 5583d901\n");
  EXPECT_EQ(one_,
            "1 key_01040g2081040g2081040g2081 acct_0h248h248h248h248h248h248h 1776254400001 "
            "7278b8dd\n");
}

TEST_F(JournalTest, C5_ALineComesBack) {
  EXPECT_EQ(ParseRevocation(LineOf(Example(5))), Example(5));
  EXPECT_EQ(ParseJournalHead(head_.substr(0, head_.size() - 1)), id_);
}

TEST_F(JournalTest, C5_RefusesEveryChangedByte) {
  const std::string line = LineOf(Example(5));
  for (size_t i = 0; i < line.size(); ++i) {
    std::string changed = line;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(ParseRevocation(changed)) << i;
    EXPECT_FALSE(ParseRevocation(line.substr(0, i))) << i;
  }
}

TEST_F(JournalTest, C5_RefusesWhatItCannotHaveWritten) {
  const std::string key = Example(1).key.ToString();
  const std::string account = Example(1).account.ToString();
  auto parse = [](const std::string& text) {
    char checksum[9];
    std::snprintf(checksum, sizeof checksum, "%08x", Crc32(text));
    return ParseRevocation(text + " " + checksum).has_value();
  };
  EXPECT_TRUE(parse("1 " + key + " " + account + " 5"));
  EXPECT_FALSE(parse("01 " + key + " " + account + " 5"));
  EXPECT_FALSE(parse("+1 " + key + " " + account + " 5"));
  EXPECT_FALSE(parse("1  " + key + " " + account + " 5"));
  EXPECT_FALSE(parse("1 " + key + " " + account + " 5 "));
  EXPECT_FALSE(parse("1 " + key + " " + account + " 5 6"));
  EXPECT_FALSE(parse("1 " + account + " " + key + " 5"));
  EXPECT_FALSE(parse("1 " + key + " " + account));
  EXPECT_FALSE(parse("99999999999999999999 " + key + " " + account + " 5"));
  EXPECT_FALSE(parse(""));
}

TEST_F(JournalTest, C5_IsMadePrivateAndAppendedTo) {
  {
    auto journal = Open();
    ASSERT_TRUE(journal) << journal.error().detail;
    EXPECT_TRUE((*journal)->TakeFound().empty());
    EXPECT_TRUE((*journal)->Append({Example(1), Example(2)}));
    EXPECT_TRUE((*journal)->Append({}));
  }
  EXPECT_EQ(Text(), head_ + one_ + two_);
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(file()).permissions(), perms::owner_read | perms::owner_write);
  EXPECT_EQ(Found(), (std::vector{Example(1), Example(2)}));
  auto journal = Open();
  ASSERT_TRUE(journal);
  EXPECT_TRUE((*journal)->Append({Example(3)}));
  EXPECT_EQ(Text(), head_ + one_ + two_ + three_);
}

TEST_F(JournalTest, C5_ATornEndIsCutOff) {
  for (size_t kept = 1; kept < two_.size(); ++kept) {
    SetText(head_ + one_ + two_.substr(0, kept));
    EXPECT_EQ(Found(), std::vector{Example(1)}) << kept;
    EXPECT_EQ(Text(), head_ + one_) << kept;
  }
  SetText(head_ + one_ + std::string(700, '\0'));
  EXPECT_EQ(Found(), std::vector{Example(1)});
  SetText(head_.substr(0, 20));
  EXPECT_TRUE(Found().empty());
  EXPECT_EQ(Text(), head_);
}

TEST_F(JournalTest, C5_AnEndThatIsNotGoodShows) {
  EXPECT_TRUE(ParseJournal(head_ + one_).is_whole);
  EXPECT_FALSE(ParseJournal(head_ + one_ + two_.substr(0, 5)).is_whole);
  std::string damaged = head_ + one_ + two_;
  damaged[damaged.size() - 3] ^= 1;
  EXPECT_FALSE(ParseJournal(damaged).is_whole);
}

TEST_F(JournalTest, C5_ATornGroupKeepsItsGoodLines) {
  SetText(head_ + one_ + std::string(two_.size() - 1, '\0') + "\n" + three_);
  const auto content = ParseJournal(Text());
  EXPECT_EQ(content.bad_line, 3u);
  EXPECT_EQ(content.front_count, 1u);
  EXPECT_EQ(Found(), (std::vector{Example(1), Example(3)}));
  EXPECT_EQ(Text(), head_ + one_ + three_);
  EXPECT_EQ(ParseJournal(Text()).bad_line, std::nullopt);
}

TEST_F(JournalTest, C5_AnotherDatabasesRevocationsAreNotTouched) {
  const std::string theirs = FormatJournalHead(StoreIdOf(0x01)) + one_;
  SetText(theirs);
  auto journal = Open();
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().code, ErrorCode::kConflict);
  EXPECT_EQ(Text(), theirs);
  SetText("garbage\n" + one_);
  journal = Open();
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().code, ErrorCode::kCorrupt);
  SetText(FormatJournalHead(StoreIdOf(0x01)));
  EXPECT_TRUE(Open()) << "it knows of no revocation";
  EXPECT_EQ(Text(), head_);
}

TEST_F(JournalTest, C5_WhatCouldNotBeWrittenIsWrittenNextTime) {
  FaultVfs vfs;
  auto journal = Open(vfs.name());
  ASSERT_TRUE(journal) << journal.error().detail;
  ASSERT_TRUE((*journal)->Append({Example(1)}));
  vfs.FailAt(1, FaultVfs::Fault::kDiskFull);
  auto full = (*journal)->Append({Example(2)});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kResourceExhausted);
  vfs.FailAt(3, FaultVfs::Fault::kIoError);  // truncate, write, sync
  EXPECT_FALSE((*journal)->Append({Example(3)}));
  vfs.Heal();
  EXPECT_TRUE((*journal)->Append({}));
  journal->reset();
  vfs.RestorePower(1);
  EXPECT_EQ(Text(), head_ + one_ + two_ + three_);
}

}  // namespace
}  // namespace p402::store::sqlite
