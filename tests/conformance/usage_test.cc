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

TEST_P(UsageConformance, L1_MarksOfUnknownKeysAreNotShown) {
  const key::Record record = AddKey(AddAccount());
  const key::Record unknown = NewKey(record.account);
  Mark({{.key = unknown.id, .at = clock_.Now()}, {.key = record.id, .at = clock_.Now()}});
  EXPECT_EQ(Get(record)->last_used_at, clock_.Now());
  EXPECT_EQ(Get(unknown), std::nullopt);
  EXPECT_EQ(List({.account = record.account}).keys.size(), 1u);
  EXPECT_EQ(Scan().size(), 1u);
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

// A store may move marks about while it is asked: nobody sees one missing or older.
TEST_P(UsageConformance, L2_ManyMarksAreShownAtEveryMoment) {
  const auto account = AddAccount();
  std::vector<key::Record> keys;
  for (int i = 0; i < 10; ++i) keys.push_back(AddKey(account));
  for (size_t i = 0; i < 120; ++i) {
    clock_.Advance(Millis(10));
    key::Record& used = keys[i * 7 % keys.size()];
    used.last_used_at = clock_.Now();
    Mark({{.key = used.id, .at = clock_.Now()}});
    ASSERT_EQ(Get(used)->last_used_at, used.last_used_at) << i;
    ASSERT_EQ(Scan(), keys) << i;
    const auto unused_since = clock_.Now() - Millis(30);
    const auto unused = List({.account = account, .filter = {.unused_since = unused_since}});
    ASSERT_EQ(unused.keys.size(), i < 3 ? 9 - i : 6) << "used are the last four";
    if (i % 37 == 36 && !backend_->Reopen()) return;  // this store forgets
  }
}

TEST_P(UsageConformance, L1_AFilteredPageIsFullBesideFreshMarks) {
  const auto account = AddAccount();
  std::vector<key::Record> keys;
  for (int i = 0; i < 12; ++i) keys.push_back(AddKey(account));
  for (size_t i = 2; i < 12; ++i) Mark({{.key = keys[i].id, .at = clock_.Now()}});
  const store::KeyFilter filter{.unused_since = clock_.Now()};
  auto page = List({.account = account, .filter = filter, .limit = 1});
  ASSERT_EQ(page.keys.size(), 1u);
  EXPECT_EQ(page.keys[0].id, keys[1].id);
  EXPECT_TRUE(page.has_more);
  page = List({.account = account, .filter = filter, .before = keys[1].id, .limit = 1});
  ASSERT_EQ(page.keys.size(), 1u);
  EXPECT_EQ(page.keys[0].id, keys[0].id);
  EXPECT_FALSE(page.has_more);
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
