#include "conformance/store_test.h"

namespace p402::conformance {
namespace {

TEST_P(UsageConformance, L1_AMarkIsShown) {
  const auto account = AddAccount();
  const key::Record record = AddKey(account);
  const key::Record other = AddKey(account);
  EXPECT_EQ(Get(record)->last_used_at, std::nullopt);
  clock_.Advance(Millis(1000));
  Mark({{.key = record.id, .at = clock_.Now()}});
  EXPECT_EQ(Get(record)->last_used_at, clock_.Now());
  EXPECT_EQ(Get(other)->last_used_at, std::nullopt);
  EXPECT_EQ(List({.account = account}).keys.at(1).last_used_at, clock_.Now());
  EXPECT_EQ(Scan().at(0).last_used_at, clock_.Now());
}

TEST_P(UsageConformance, L2_NeverGoesBack) {
  const key::Record record = AddKey(AddAccount());
  clock_.Advance(Millis(1000));
  const WallTime late = clock_.Now();
  Mark({{.key = record.id, .at = late}});
  Mark({{.key = record.id, .at = late - Millis(1)}});
  EXPECT_EQ(Get(record)->last_used_at, late);
  Mark({{.key = record.id, .at = late - Millis(3)}, {.key = record.id, .at = late - Millis(2)}});
  EXPECT_EQ(Get(record)->last_used_at, late);
  clock_.StepWall(Millis(-500));
  Mark({{.key = record.id, .at = clock_.Now()}});
  EXPECT_EQ(Get(record)->last_used_at, late);
}

TEST_P(UsageConformance, L2_NeverLaterThanTheStoresTime) {
  const key::Record record = AddKey(AddAccount());
  Mark({{.key = record.id, .at = clock_.Now() + std::chrono::hours(5)}});
  EXPECT_EQ(Get(record)->last_used_at, clock_.Now());
}

TEST_P(UsageConformance, L1_MarksOfUnknownKeysAreDropped) {
  const key::Record record = AddKey(AddAccount());
  const key::Record unknown = NewKey(record.account);
  Mark({{.key = unknown.id, .at = clock_.Now()}, {.key = record.id, .at = clock_.Now()}});
  EXPECT_EQ(Get(record)->last_used_at, clock_.Now());
  EXPECT_EQ(Get(unknown), std::nullopt);
  AddKey(unknown);
  EXPECT_EQ(Get(unknown)->last_used_at, std::nullopt);
}

TEST_P(UsageConformance, L1_AMarkIsNoChange) {
  const key::Record record = AddKey(AddAccount());
  const auto head = ReadHead();
  const auto audit_head = ReadAuditHead();
  Mark({{.key = record.id, .at = clock_.Now()}});
  Mark({});
  EXPECT_EQ(ReadHead(), head);
  EXPECT_EQ(ReadAuditHead(), audit_head);
  EXPECT_EQ(Get(record)->version, record.version);
}

TEST_P(UsageConformance, L1_AScanShowsTheMarkOfEachKey) {
  const auto account = AddAccount();
  std::vector<key::Record> keys;
  for (int i = 0; i < 20; ++i) keys.push_back(AddKey(account));
  for (const size_t used : {0, 1, 5, 6, 7, 11, 19}) {
    clock_.Advance(Millis(10));
    keys[used].last_used_at = clock_.Now();
    Mark({{.key = keys[used].id, .at = clock_.Now()}});
  }
  for (const size_t limit : {1, 3, 7, 20, 21}) {
    std::vector<key::Record> scanned;
    for (key::KeyId after; scanned.size() < keys.size(); after = scanned.back().id) {
      const auto page = Scan(after, limit);
      ASSERT_FALSE(page.empty());
      scanned.insert(scanned.end(), page.begin(), page.end());
    }
    EXPECT_EQ(scanned, keys) << "pages of " << limit;
  }
}

TEST_P(UsageConformance, L1_AChangeOfTheKeyKeepsItsMark) {
  key::Record record = AddKey(AddAccount());
  const WallTime used = clock_.Now();
  Mark({{.key = record.id, .at = used}});
  record.name = "renamed";
  record.last_used_at = used + Millis(99);
  Write(KeyChange(record, store::ChangeKind::kUpdate));
  EXPECT_EQ(Get(record)->name, "renamed");
  EXPECT_EQ(Get(record)->last_used_at, used);
  key::Record fresh = NewKey(record.account);
  fresh.last_used_at = used;
  Write(KeyChange(fresh, store::ChangeKind::kPermit));
  EXPECT_EQ(Get(fresh)->last_used_at, std::nullopt);
}

TEST_P(UsageConformance, L2_MarksSurviveAStop) {
  const key::Record record = AddKey(AddAccount());
  Mark({{.key = record.id, .at = clock_.Now()}});
  if (!backend_->Reopen()) return;  // this store forgets
  EXPECT_EQ(Get(record)->last_used_at, clock_.Now());
}

}  // namespace
}  // namespace p402::conformance
