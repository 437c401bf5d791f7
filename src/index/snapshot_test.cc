#include "index/snapshot.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <random>
#include <thread>

#include "index/index_test.h"

namespace p402::index {
namespace {

const SnapshotLabel kLabel{.store = {1}, .from = {1, 1}, .through = {1, 1}};

class SnapshotTest : public IndexTest {
 protected:
  SnapshotTest() {
    std::string pattern = ::testing::TempDir() + "p402-snapshot-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ / "index.snapshot";
  }
  ~SnapshotTest() override { std::filesystem::remove_all(folder_); }

  // One of many shapes; every field differs somewhere.
  Known PutSome(std::mt19937& dice) {
    Known known = Make(static_cast<int64_t>(dice() % 1000));
    key::Record& record = known.record;
    if (dice() % 2) record.account = accounts_[dice() % accounts_.size()];
    record.prefix = known.raw_key.substr(0, 16);
    record.name = std::string(dice() % 100, 'n');
    record.mode = dice() % 2 ? key::Mode::kTest : key::Mode::kLive;
    record.scopes = *key::ScopeSet::ParseText(kScopes[dice() % std::size(kScopes)]);
    if (dice() % 4 == 0) {
      const std::vector<std::string> cidrs = {"10.0.0.0/8", "2001:db8::/32"};
      record.allowed_cidrs = *key::CidrSet::Parse(cidrs);
    }
    if (dice() % 2) record.owner = "owner-" + std::to_string(dice() % 10);
    if (dice() % 2) record.metadata = std::string(dice() % 4000, 'm');
    if (dice() % 3 == 0) record.expires_at = At(dice() % 100);
    record.is_disabled = dice() % 5 == 0;
    if (dice() % 5 == 0) {
      record.revoked_at = At(-1);
      record.revoke_reason = "lost";
    }
    if (dice() % 3 == 0) record.rotated_from = key::KeyId::New(ids_);
    record.created_by = {key::ActorKind::kSystem, "init"};
    if (dice() % 2) record.created_by = {key::ActorKind::kKey, key::KeyId::New(ids_).ToString()};
    record.last_used_at = At(-5);
    index_.Put(record);
    return known;
  }
  Status Write() {
    P402_TRY(auto file, SnapshotFileWriter::Create(path_));
    P402_TRY(WriteKeys(index_, *file, [] { return false; }));
    return file->Finish(kLabel);
  }
  Status ReadInto(Index& index) {
    P402_TRY(const auto reader, SnapshotReader::Open(path_));
    for (;;) {
      P402_TRY(const auto block, reader->Next());
      if (!block) return {};
      P402_TRY(index.Load(block->keys));
    }
  }

  static constexpr const char* kScopes[] = {"", "*", "a", "a:b c", "keys:read keys:write"};
  std::array<key::AccountId, 3> accounts_{key::AccountId::New(ids_), key::AccountId::New(ids_),
                                          key::AccountId::New(ids_)};
  std::filesystem::path folder_;
  std::filesystem::path path_;
  Index loaded_{"p402"};
};

TEST_F(SnapshotTest, AnIndexThatWasWrittenAndLoadedIsTheSame) {
  std::mt19937 dice(1);
  std::vector<Known> known;
  for (int i = 0; i < 3000; ++i) known.push_back(PutSome(dice));
  ASSERT_TRUE(Write());
  ASSERT_TRUE(ReadInto(loaded_));
  EXPECT_EQ(loaded_.size(), index_.size());
  EXPECT_EQ(loaded_.Dump(), index_.Dump());
  const std::vector<std::string> scopes = {"a"};
  const key::Question question{.scopes = scopes};
  for (const auto& one : known) {
    for (const int64_t seconds : {0, 50, 100}) {
      const auto expected = index_.Verify(one.raw_key, question, At(seconds));
      const auto answer = loaded_.Verify(one.raw_key, question, At(seconds));
      EXPECT_EQ(answer.decision, expected.decision);
    }
  }
}

TEST_F(SnapshotTest, L2_HasNoTimesOfUse) {
  const Known known = Put();
  ASSERT_EQ(Ask(known), Decision::kValid);
  ASSERT_TRUE(index_.LastUsed(known.record.id));
  ASSERT_TRUE(Write());
  ASSERT_TRUE(ReadInto(loaded_));
  EXPECT_EQ(loaded_.LastUsed(known.record.id), std::nullopt);
  EXPECT_EQ(loaded_.waiting_marks(), 0u);
}

TEST_F(SnapshotTest, WhatWasLoadedIsChangedAsUsual) {
  Known known = Put(5);
  ASSERT_TRUE(Write());
  ASSERT_TRUE(ReadInto(loaded_));
  known.record.version = 4;
  known.record.name = "older";
  loaded_.Put(known.record);
  EXPECT_EQ(loaded_.Find(known.record.id)->name, "k");
  known.record.version = 6;
  known.record.revoked_at = kNow;
  known.record.scopes = *key::ScopeSet::ParseText("x y");
  loaded_.Put(known.record);
  EXPECT_EQ(*loaded_.Find(known.record.id), known.record);
  EXPECT_EQ(loaded_.Verify(known.raw_key, {}, kNow).decision, Decision::kRevoked);
  const Known other = Make();
  loaded_.Put(other.record);
  EXPECT_EQ(loaded_.size(), 2u);
}

TEST_F(SnapshotTest, AnEmptyIndexIsNoBlock) {
  ASSERT_TRUE(Write());
  ASSERT_TRUE(ReadInto(loaded_));
  EXPECT_EQ(loaded_.size(), 0u);
}

TEST_F(SnapshotTest, R1_AKeyThatIsThereTwiceIsRefused) {
  const Known known = Put();
  ASSERT_TRUE(Write());
  ASSERT_TRUE(ReadInto(loaded_));
  EXPECT_EQ(ReadInto(loaded_).error().code, ErrorCode::kCorrupt);
  Index other("p402");  // the same digest, another id
  Known twin = known;
  twin.record.id = key::KeyId::New(ids_);
  other.Put(twin.record);
  EXPECT_EQ(ReadInto(other).error().code, ErrorCode::kCorrupt);
}

TEST_F(SnapshotTest, AWriterThatIsToldToStopStops) {
  std::mt19937 dice(1);
  for (int i = 0; i < 1000; ++i) PutSome(dice);
  auto file = SnapshotFileWriter::Create(path_);
  ASSERT_TRUE(file);
  int asked = 0;
  const auto status = WriteKeys(index_, **file, [&] { return ++asked == 2; });
  EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(asked, 2);
}

// Each key is seen as it was before or after a change, never as a mixture.
TEST_F(SnapshotTest, R1_AKeyThatIsChangedMeanwhileIsThereInOneVersion) {
  std::vector<Known> known;
  for (int i = 0; i < 500; ++i) known.push_back(Put());
  std::atomic<bool> is_done = false;
  std::thread writer([&] {
    std::mt19937 dice(1);
    for (int64_t version = 2; !is_done.load(); ++version) {
      key::Record record = known[dice() % known.size()].record;
      record.version = version;
      record.name = std::string(static_cast<size_t>(version % 100), 'x');
      record.owner = record.name;
      record.scopes = *key::ScopeSet::ParseText(version % 2 ? "odd" : "even");
      record.is_disabled = version % 2 == 1;
      index_.Put(record);
    }
  });
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(Write());
    Index loaded("p402");
    ASSERT_TRUE(ReadInto(loaded));
    ASSERT_EQ(loaded.size(), known.size());
    for (const auto& record : loaded.Dump()) {
      if (record.version == 1) continue;
      const bool is_odd = record.version % 2 == 1;
      ASSERT_EQ(record.scopes.ToString(), is_odd ? "odd" : "even");
      ASSERT_EQ(record.is_disabled, is_odd);
      ASSERT_EQ(record.name.size(), static_cast<size_t>(record.version % 100));
      ASSERT_EQ(record.owner, record.name);
    }
  }
  is_done.store(true);
  writer.join();
}

// What no encoder writes, with a checksum that fits: as if a program with a defect had written it.
TEST(SnapshotDecoder, RefusesWhatCannotBe) {
  Index index("p402");
  testing::FakeClock clock;
  testing::SeededRandom random;
  Uuid7Generator ids(clock, random);
  key::Record record{.id = key::KeyId::New(ids), .account = key::AccountId::New(ids)};
  record.scopes = *key::ScopeSet::ParseText("a b");
  record.allowed_cidrs = *key::CidrSet::Parse(std::vector<std::string>{"10.0.0.0/8"});
  index.Put(record);
  SnapshotEncoder encoder;
  index.Walk(1, 10, [&](const View& view) { encoder.Add(view); });
  const std::string good(encoder.payload());
  ASSERT_TRUE(SnapshotDecoder().Decode(good, 1));
  EXPECT_FALSE(SnapshotDecoder().Decode(good, 0)) << "more than the head says";
  EXPECT_FALSE(SnapshotDecoder().Decode(good, 2)) << "fewer than the head says";
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(SnapshotDecoder().Decode(good.substr(0, size), 1)) << size;
  }
  const auto with = [&](size_t at, char value) {
    std::string bad = good;
    bad[at] = value;
    return SnapshotDecoder().Decode(bad, 1).has_value();
  };
  EXPECT_FALSE(with(48, 1)) << "an account that was not introduced";
  EXPECT_FALSE(with(52, 1)) << "a scope set that was not introduced";
  EXPECT_FALSE(with(56, 4)) << "an unknown flag";
  EXPECT_FALSE(with(57 + 16 + 4, 'c')) << "scopes that are not sorted";
  EXPECT_FALSE(with(57 + 16 + 4, 'A')) << "no scopes";
  EXPECT_FALSE(with(57 + 16, 100)) << "a length beyond the end";
}

}  // namespace
}  // namespace p402::index
