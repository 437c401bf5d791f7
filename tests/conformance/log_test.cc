#include <map>

#include "conformance/store_test.h"

namespace p402::conformance {
namespace {

TEST_P(LogConformance, R1_AnEmptyLogHasNoHead) {
  EXPECT_EQ(ReadHead(), store::Head{});
  EXPECT_TRUE(ReadLog().empty());
}

TEST_P(LogConformance, R1_EntriesTellWhatHappened) {
  const auto account = AddAccount();
  clock_.Advance(Millis(7));
  const key::Record record = AddKey(account);
  const auto log = ReadLog(2);
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0].shard, 0);
  EXPECT_EQ(log[0].seq, 2);
  EXPECT_NE(log[0].tag, 0u);
  EXPECT_EQ(log[0].kind, store::ChangeKind::kPermit);
  EXPECT_EQ(log[0].at, clock_.Now());
  EXPECT_EQ(log[0].account, account);
  EXPECT_EQ(log[0].subject, record.id.ToString());
  auto decoded = key::DecodeRecord(log[0].payload);
  ASSERT_TRUE(decoded);
  decoded->version = record.version;  // not part of the payload
  EXPECT_EQ(*decoded, record);
}

TEST_P(LogConformance, R1_FoldingTheLogGivesTheKeys) {
  const auto account = AddAccount();
  for (int i = 0; i < 20; ++i) {
    key::Record record = AddKey(account, "key " + std::to_string(i));
    if (i % 3 == 0) record = Revoke(record);
    if (i % 4 == 1) {
      record.is_disabled = true;
      Write(KeyChange(record, store::ChangeKind::kRestrict));
    }
  }
  std::map<key::KeyId, key::Record> folded;
  for (const auto& change : ReadLog()) {
    if (change.payload.empty()) continue;
    auto record = key::DecodeRecord(change.payload);
    ASSERT_TRUE(record);
    record->version = change.seq;
    folded[record->id] = *record;
  }
  std::vector<key::Record> expected;
  for (auto& [id, record] : folded) expected.push_back(record);
  EXPECT_EQ(Scan(), expected);
}

TEST_P(LogConformance, R1_ReadsFromAndUpTo) {
  const auto account = AddAccount();
  for (int i = 0; i < 9; ++i) AddKey(account);
  EXPECT_EQ(ReadLog(1, 4).size(), 4u);
  const auto middle = ReadLog(4, 3);
  ASSERT_EQ(middle.size(), 3u);
  EXPECT_EQ(middle[0].seq, 4);
  EXPECT_EQ(middle[2].seq, 6);
  EXPECT_EQ(ReadLog(0, 100).size(), 10u);
  EXPECT_EQ(ReadLog(10).size(), 1u);
  EXPECT_EQ(ReadLog(11).size(), 0u);
  EXPECT_EQ(ReadHead().seq, 10);
  EXPECT_EQ(ReadHead().tag, ReadLog(10)[0].tag);
}

TEST_P(LogConformance, R1_AnotherShardIsEmpty) {
  AddAccount();
  auto head = Await<Result<store::Head>>(
      executor_, [&](auto done) { store().log().ReadHead(7, std::move(done)); });
  ASSERT_TRUE(head);
  EXPECT_EQ(*head, store::Head{});
  auto changes = Await<Result<std::vector<store::Change>>>(
      executor_, [&](auto done) { store().log().Read(7, 1, 10, std::move(done)); });
  ASSERT_TRUE(changes);
  EXPECT_TRUE(changes->empty());
}

}  // namespace
}  // namespace p402::conformance
