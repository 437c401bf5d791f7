#include "store/sqlite/journal.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "base/base62.h"
#include "base/file.h"
#include "base/limits.h"
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

Restriction ExampleRestriction(int number) {
  Restriction restriction{.seq = number, .tag = 0xabcdef, .key = {}, .account = {}};
  restriction.key.uuid.fill(static_cast<uint8_t>(number));
  restriction.account.uuid.fill(0x11);
  restriction.at = WallTime(Millis(1'776'254'400'000 + number));
  restriction.is_disabled = true;
  restriction.expires_at = WallTime(Millis(-5));
  restriction.scopes = *key::ScopeSet::Parse(std::vector<std::string>{"a:b", "-", "none"});
  restriction.allowed_cidrs =
      *key::CidrSet::Parse(std::vector<std::string>{"10.0.0.0/8", "2001:db8::/32"});
  return restriction;
}

// Every field as long as it can be.
Restriction LongestRestriction() {
  Restriction restriction = ExampleRestriction(1);
  restriction.seq = std::numeric_limits<int64_t>::min();
  restriction.tag = std::numeric_limits<uint64_t>::max();
  restriction.at = restriction.expires_at.emplace(Millis(std::numeric_limits<int64_t>::min()));
  std::vector<std::string> scopes;
  for (int i = 0; i < 340; ++i) scopes.push_back({char('a' + i / 26), char('a' + i % 26)});
  scopes.emplace_back("zzzz");
  std::vector<std::string> cidrs;
  for (int i = 0; i < 64; ++i) {
    cidrs.push_back("fdaa:1111:2222:3333:4444:5555:6666:77" + std::to_string(10 + i) + "/128");
  }
  restriction.scopes = *key::ScopeSet::Parse(scopes);
  restriction.allowed_cidrs = *key::CidrSet::Parse(cidrs);
  return restriction;
}

std::string WithoutLineFeed(std::string line) {
  line.pop_back();
  return line;
}
std::string LineOf(const Revocation& revocation) {
  return WithoutLineFeed(FormatRevocation(revocation));
}
std::string LineOf(const Restriction& restriction) {
  return WithoutLineFeed(FormatRestriction(restriction));
}

JournalLines Lines(std::vector<Revocation> revocations) {
  return {.revocations = std::move(revocations)};
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
  JournalLines Found() {
    auto journal = Open();
    EXPECT_TRUE(journal) << journal.error().detail;
    return journal ? (*journal)->TakeFound() : JournalLines{};
  }

  TempFolder folder_;
  const Uuid id_ = StoreIdOf(0xab);
  const std::string head_ = FormatJournalHead(id_);
  const std::string one_ = FormatRevocation(Example(1));
  const std::string two_ = FormatRevocation(Example(2));
  const std::string three_ = FormatRevocation(Example(3));
  const std::string four_ = FormatRestriction(ExampleRestriction(4));
};

TEST_F(JournalTest, C5_TheFormatNeverChanges) {
  EXPECT_EQ(head_, "p402-revocations 2 abababababababababababababababab 38052a5b\n");
  EXPECT_EQ(one_,
            "revoke 1 key_01040g2081040g2081040g2081 acct_0h248h248h248h248h248h248h 1776254400001 "
            "a0f3761a\n");
  EXPECT_EQ(four_,
            "restrict 4 0000000000abcdef key_040g2081040g2081040g208104 "
            "acct_0h248h248h248h248h248h248h 1776254400004 "
            "disabled=1 expires=-5 scopes=-,a:b,none cidrs=10.0.0.0/8,2001:db8::/32 b2eac87b\n");
  Restriction bare{.seq = 5, .key = {}, .account = {}};
  EXPECT_EQ(FormatRestriction(bare),
            "restrict 5 0000000000000000 key_00000000000000000000000000 "
            "acct_00000000000000000000000000 0 disabled=0 expires= scopes= cidrs= 4d3dc6f5\n");
}

TEST_F(JournalTest, C5_ALineComesBack) {
  EXPECT_EQ(ParseRevocation(LineOf(Example(5))), Example(5));
  EXPECT_EQ(ParseRestriction(LineOf(ExampleRestriction(5))), ExampleRestriction(5));
  EXPECT_EQ(ParseRestriction(LineOf(Restriction{})), Restriction{});
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
  const std::string restriction = LineOf(ExampleRestriction(5));
  for (size_t i = 0; i < restriction.size(); ++i) {
    std::string changed = restriction;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(ParseRestriction(changed)) << i;
    EXPECT_FALSE(ParseRestriction(restriction.substr(0, i))) << i;
  }
}

TEST_F(JournalTest, C5_TheLongestLineIsRead) {
  const Restriction longest = LongestRestriction();
  EXPECT_EQ(longest.scopes.ToString().size(), limits::kScopesBytes);
  EXPECT_EQ(longest.allowed_cidrs.values().size(), limits::kCidrCount);
  const std::string line = LineOf(longest);
  EXPECT_GT(line.size(), 4000u);
  EXPECT_EQ(ParseRestriction(line), longest);
  EXPECT_TRUE(ParseJournal(head_ + line + "\n").is_whole);
}

TEST_F(JournalTest, C5_RefusesWhatItCannotHaveWritten) {
  const std::string key = Example(1).key.ToString();
  const std::string account = Example(1).account.ToString();
  auto parse = [](const std::string& text) {
    char checksum[9];
    std::snprintf(checksum, sizeof checksum, "%08x", Crc32(text));
    const std::string line = text + " " + checksum;
    return ParseRevocation(line).has_value() || ParseRestriction(line).has_value();
  };
  EXPECT_TRUE(parse("revoke 1 " + key + " " + account + " 5"));
  EXPECT_FALSE(parse("1 " + key + " " + account + " 5"));
  EXPECT_FALSE(parse("restrict 1 " + key + " " + account + " 5"));
  EXPECT_FALSE(parse("revoke 01 " + key + " " + account + " 5"));
  EXPECT_FALSE(parse("revoke +1 " + key + " " + account + " 5"));
  EXPECT_FALSE(parse("revoke 1  " + key + " " + account + " 5"));
  EXPECT_FALSE(parse("revoke 1 " + key + " " + account + " 5 "));
  EXPECT_FALSE(parse("revoke 1 " + key + " " + account + " 5 6"));
  EXPECT_FALSE(parse("revoke 1 " + account + " " + key + " 5"));
  EXPECT_FALSE(parse("revoke 1 " + key + " " + account));
  EXPECT_FALSE(parse("revoke 99999999999999999999 " + key + " " + account + " 5"));
  EXPECT_FALSE(parse(""));
  const std::string front = "restrict 1 00000000000000ff " + key + " " + account + " 5 ";
  EXPECT_TRUE(parse(front + "disabled=1 expires=7 scopes=a,b cidrs=10.0.0.0/8"));
  for (const char* bad :
       {"disabled=2 expires=7 scopes=a,b cidrs=", "disabled=1 expires=x scopes=a,b cidrs=",
        "disabled=1 expires=07 scopes=a,b cidrs=", "disabled=1 expires=7 scopes=b,a cidrs=",
        "disabled=1 expires=7 scopes=a,a cidrs=", "disabled=1 expires=7 scopes=a, cidrs=",
        "disabled=1 expires=7 scopes=A cidrs=", "disabled=1 expires=7 scopes=a cidrs=10.0.0.1",
        "disabled=1 expires=7 scopes=a cidrs=10.0.0.1/8", "disabled=1 expires=7 scopes=a",
        "disabled=1 expires=7 cidrs= scopes=a", "disabled=1 expires=7 scopes=a cidrs= ",
        "disabled=1 expires=7 scopes=a cidrs= more=1", "expires=7 disabled=1 scopes=a cidrs="}) {
    EXPECT_FALSE(parse(front + bad)) << bad;
  }
  EXPECT_FALSE(
      parse("restrict 1 ff " + key + " " + account + " 5 disabled=1 expires=7 scopes=a,b cidrs="));
}

TEST_F(JournalTest, C5_IsMadePrivateAndAppendedTo) {
  {
    auto journal = Open();
    ASSERT_TRUE(journal) << journal.error().detail;
    EXPECT_TRUE((*journal)->TakeFound().empty());
    EXPECT_TRUE((*journal)->Append(Lines({Example(1), Example(2)})));
    EXPECT_TRUE((*journal)->Append({}));
  }
  EXPECT_EQ(Text(), head_ + one_ + two_);
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(file()).permissions(), perms::owner_read | perms::owner_write);
  EXPECT_EQ(Found(), Lines({Example(1), Example(2)}));
  auto journal = Open();
  ASSERT_TRUE(journal);
  EXPECT_TRUE((*journal)->Append(Lines({Example(3)})));
  EXPECT_EQ(Text(), head_ + one_ + two_ + three_);
}

TEST_F(JournalTest, C5_ManyLinesAreAppendedAtOnce) {
  std::vector<Revocation> many;
  for (int i = 0; i < 10'000; ++i) many.push_back(Example(i));
  auto journal = Open();
  ASSERT_TRUE(journal);
  const auto appended = (*journal)->Append(Lines(many));
  ASSERT_TRUE(appended) << appended.error().detail;
  journal->reset();
  EXPECT_GT(Text().size(), 800'000u);
  EXPECT_EQ(Found(), Lines(many));
}

TEST_F(JournalTest, C5_ATornEndIsCutOff) {
  for (size_t kept = 1; kept < two_.size(); ++kept) {
    SetText(head_ + one_ + two_.substr(0, kept));
    EXPECT_EQ(Found(), Lines({Example(1)})) << kept;
    EXPECT_EQ(Text(), head_ + one_) << kept;
  }
  for (size_t kept = 1; kept < four_.size(); ++kept) {
    SetText(head_ + one_ + four_.substr(0, kept));
    EXPECT_EQ(Found(), Lines({Example(1)})) << kept;
    EXPECT_EQ(Text(), head_ + one_) << kept;
  }
  SetText(head_ + one_ + std::string(700, '\0'));
  EXPECT_EQ(Found(), Lines({Example(1)}));
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
  EXPECT_EQ(content.front_bytes, head_.size() + one_.size());
  EXPECT_EQ(content.behind, three_);
  EXPECT_EQ(Found(), Lines({Example(1), Example(3)}));
  EXPECT_EQ(Text(), head_ + one_ + three_);
  EXPECT_EQ(ParseJournal(Text()).bad_line, std::nullopt);
  SetText(head_ + std::string(two_.size() - 1, '\0') + "\n" + four_ + three_);
  EXPECT_EQ(Found(),
            (JournalLines{.revocations = {Example(3)}, .restrictions = {ExampleRestriction(4)}}));
  EXPECT_EQ(Text(), head_ + four_ + three_);
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
  SetText(FormatJournalHead(StoreIdOf(0x01)) + four_);
  journal = Open();
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().code, ErrorCode::kConflict);
  SetText(FormatJournalHead(StoreIdOf(0x01)));
  EXPECT_TRUE(Open()) << "it knows of no change";
  EXPECT_EQ(Text(), head_);
}

TEST_F(JournalTest, C5_WhatCouldNotBeWrittenIsWrittenNextTime) {
  FaultVfs vfs;
  auto journal = Open(vfs.name());
  ASSERT_TRUE(journal) << journal.error().detail;
  ASSERT_TRUE((*journal)->Append(Lines({Example(1)})));
  vfs.FailAt(1, FaultVfs::Fault::kDiskFull);
  auto full = (*journal)->Append(Lines({Example(2)}));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kResourceExhausted);
  vfs.FailAt(3, FaultVfs::Fault::kIoError);  // truncate, write, sync
  EXPECT_FALSE((*journal)->Append(Lines({Example(3)})));
  vfs.Heal();
  EXPECT_TRUE((*journal)->Append({}));
  journal->reset();
  vfs.RestorePower(1);
  EXPECT_EQ(Text(), head_ + one_ + two_ + three_);
}

}  // namespace
}  // namespace p402::store::sqlite
