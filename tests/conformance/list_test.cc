#include <algorithm>
#include <set>

#include "conformance/store_test.h"

namespace p402::conformance {
namespace {

using store::ChangeKind;
using store::KeyFilter;

// The names of the keys that a filter finds, newest first.
class Filtered {
 public:
  explicit Filtered(store::KeyPage page) {
    for (auto& record : page.keys) names_.push_back(record.name);
  }
  bool operator==(const std::vector<std::string>& names) const { return names_ == names; }
  friend std::ostream& operator<<(std::ostream& out, const Filtered& found) {
    return out << ::testing::PrintToString(found.names_);
  }

 private:
  std::vector<std::string> names_;
};
using Names = std::vector<std::string>;

TEST_P(ListConformance, A3_NewestFirstAndOnlyTheAccountsOwn) {
  const auto account = AddAccount();
  const auto stranger = AddAccount();
  AddKey(account, "one");
  AddKey(stranger, "theirs");
  const key::Record two = AddKey(account, "two");
  const auto page = List({.account = account});
  EXPECT_EQ(Filtered(page), (Names{"two", "one"}));
  EXPECT_FALSE(page.has_more);
  EXPECT_EQ(page.keys[0], two);
  auto theirs = Await<Result<std::optional<key::Record>>>(
      executor_, [&](auto done) { store().keys().Get(stranger, two.id, std::move(done)); });
  ASSERT_TRUE(theirs);
  EXPECT_FALSE(theirs->has_value()) << "A8";
}

TEST_P(ListConformance, A3_PagesEndExactly) {
  const auto account = AddAccount();
  for (int i = 0; i < 4; ++i) AddKey(account);
  EXPECT_TRUE(List({.account = account, .limit = 3}).has_more);
  EXPECT_FALSE(List({.account = account, .limit = 4}).has_more);
  const auto first = List({.account = account, .limit = 2});
  ASSERT_EQ(first.keys.size(), 2u);
  const auto second = List({.account = account, .before = first.keys[1].id, .limit = 2});
  ASSERT_EQ(second.keys.size(), 2u);
  EXPECT_FALSE(second.has_more);
  const auto third = List({.account = account, .before = second.keys[1].id, .limit = 2});
  EXPECT_TRUE(third.keys.empty());
  EXPECT_FALSE(third.has_more);
}

TEST_P(ListConformance, A3_PagesStayRightWhileKeysComeAndGo) {
  const auto account = AddAccount();
  std::vector<key::Record> before;
  for (int i = 0; i < 30; ++i) before.push_back(AddKey(account));
  std::vector<key::KeyId> seen;
  std::optional<key::KeyId> cursor;
  for (;;) {
    const auto page = List({.account = account, .before = cursor, .limit = 4});
    for (auto& record : page.keys) seen.push_back(record.id);
    if (!page.has_more) break;
    cursor = page.keys.back().id;
    AddKey(account, "newer than the cursor");
    Revoke(before[seen.size() / 2]);
    Revoke(before[29 - seen.size() / 2]);
  }
  std::vector<key::KeyId> expected;
  for (auto it = before.rbegin(); it != before.rend(); ++it) expected.push_back(it->id);
  EXPECT_EQ(seen, expected);
}

TEST_P(ListConformance, A3_FiltersByStatusAsOfNow) {
  const auto account = AddAccount();
  const WallTime now = clock_.Now();
  auto add = [&](std::string name, std::optional<WallTime> expires_at, bool is_disabled,
                 bool is_revoked) {
    key::Record record = NewKey(account, std::move(name));
    record.expires_at = expires_at;
    record.is_disabled = is_disabled;
    record = AddKey(record);
    if (is_revoked) Revoke(record);
  };
  add("plain", {}, false, false);
  add("later", now + Millis(1), false, false);
  add("at once", now, false, false);
  add("past, disabled", now - Millis(1), true, false);
  add("disabled", {}, true, false);
  add("disabled, later", now + Millis(1), true, false);
  add("revoked, past, disabled", now - Millis(1), true, true);
  add("revoked", {}, false, true);
  auto find = [&](key::KeyStatus status, WallTime at) {
    return Filtered(List({.account = account, .filter = {.status = status, .now = at}}));
  };
  EXPECT_EQ(find(key::KeyStatus::kActive, now), (Names{"later", "plain"}));
  EXPECT_EQ(find(key::KeyStatus::kExpired, now), (Names{"past, disabled", "at once"}));
  EXPECT_EQ(find(key::KeyStatus::kDisabled, now), (Names{"disabled, later", "disabled"}));
  EXPECT_EQ(find(key::KeyStatus::kRevoked, now), (Names{"revoked", "revoked, past, disabled"}));
  EXPECT_EQ(find(key::KeyStatus::kActive, now + Millis(1)), (Names{"plain"}));
  // The same answer as the domain gives.
  for (auto& record : Scan()) {
    const auto page =
        List({.account = account, .filter = {.status = key::StatusAt(record, now), .now = now}});
    EXPECT_TRUE(std::ranges::count(page.keys, record.id, &key::Record::id) == 1) << record.name;
  }
}

TEST_P(ListConformance, A3_FiltersByTextAndMode) {
  const auto account = AddAccount();
  key::Record one = NewKey(account, "Build Agent");
  one.owner = "ci";
  one.prefix = "p402_live_abcdef";
  AddKey(one);
  key::Record two = NewKey(account, "deploy 100%_x");
  two.owner = "";
  two.mode = key::Mode::kTest;
  two.prefix = "p402_test_abcxyz";
  AddKey(two);
  key::Record three = NewKey(account, "B\xC3\x84R agent");
  three.owner = "CI";
  three.prefix = "p402_live_abczzz";
  AddKey(three);
  auto find = [&](KeyFilter filter) {
    return Filtered(List({.account = account, .filter = std::move(filter)}));
  };
  EXPECT_EQ(find({.mode = key::Mode::kTest}), (Names{two.name}));
  EXPECT_EQ(find({.owner = "ci"}), (Names{one.name}));
  EXPECT_EQ(find({.owner = ""}), (Names{two.name}));
  EXPECT_EQ(find({.owner = "nobody"}), Names{});
  EXPECT_EQ(find({.name = "AGENT"}), (Names{three.name, one.name}));
  EXPECT_EQ(find({.name = "b\xC3\x84r"}), (Names{three.name}));
  EXPECT_EQ(find({.name = "b\xC3\xA4r"}), Names{}) << "only ASCII letters match in either case";
  EXPECT_EQ(find({.name = "%_"}), (Names{two.name}));
  EXPECT_EQ(find({.name = ""}), (Names{three.name, two.name, one.name}));
  EXPECT_EQ(find({.prefix = "p402_live_abcdef"}), (Names{one.name}));
  EXPECT_EQ(find({.prefix = "p402_live_abc"}), (Names{three.name, one.name}));
  EXPECT_EQ(find({.prefix = "p402_live_abcd"}), (Names{one.name}));
  EXPECT_EQ(find({.prefix = "p402_live_ABC"}), Names{});
  EXPECT_EQ(find({.prefix = "p402"}), (Names{three.name, two.name, one.name}));
  EXPECT_EQ(find({.prefix = ""}), (Names{three.name, two.name, one.name}));
  EXPECT_EQ(find({.prefix = "\xFF\xFF"}), Names{});
  EXPECT_EQ(
      find({.mode = key::Mode::kLive, .owner = "ci", .prefix = "p402_live_abc", .name = "build"}),
      (Names{one.name}));
}

TEST_P(ListConformance, A3_FiltersByUseAndExpiry) {
  const auto account = AddAccount();
  const WallTime now = clock_.Now();
  const key::Record never = AddKey(account, "never");
  const key::Record early = AddKey(account, "early");
  key::Record late = NewKey(account, "late");
  late.expires_at = now + Millis(50);
  late = AddKey(late);
  clock_.Advance(Millis(100));
  Mark({{.key = early.id, .at = now + Millis(10)}, {.key = late.id, .at = now + Millis(20)}});
  auto unused = [&](int since) {
    return Filtered(List({.account = account, .filter = {.unused_since = now + Millis(since)}}));
  };
  EXPECT_EQ(unused(10), (Names{"never"}));
  EXPECT_EQ(unused(11), (Names{"early", "never"}));
  EXPECT_EQ(unused(21), (Names{"late", "early", "never"}));
  auto expiring = [&](int before) {
    return Filtered(List({.account = account, .filter = {.expires_before = now + Millis(before)}}));
  };
  EXPECT_EQ(expiring(50), Names{});
  EXPECT_EQ(expiring(51), (Names{"late"}));
}

TEST_P(ListConformance, A3_FilteredPagesGoOnBelowTheCursor) {
  const auto account = AddAccount();
  std::vector<key::KeyId> expected;
  for (int i = 0; i < 40; ++i) {
    const key::Record record = AddKey(account, i % 3 == 0 ? "wanted" : "other");
    if (i % 3 == 0) expected.insert(expected.begin(), record.id);
  }
  std::vector<key::KeyId> seen;
  std::optional<key::KeyId> cursor;
  bool has_more = true;
  while (has_more) {
    const auto page =
        List({.account = account, .filter = {.name = "wanted"}, .before = cursor, .limit = 5});
    for (auto& record : page.keys) seen.push_back(record.id);
    has_more = page.has_more;
    if (!page.keys.empty()) cursor = page.keys.back().id;
  }
  EXPECT_EQ(seen, expected);
}

TEST_P(ListConformance, R1_ScanWalksAllAccountsInOrder) {
  std::set<key::KeyId> expected;
  for (int a = 0; a < 3; ++a) {
    const auto account = AddAccount();
    for (int i = 0; i < 5; ++i) expected.insert(AddKey(account).id);
  }
  std::vector<key::KeyId> seen;
  key::KeyId after;
  for (;;) {
    const auto part = Scan(after, 4);
    if (part.empty()) break;
    for (auto& record : part) seen.push_back(record.id);
    after = part.back().id;
  }
  EXPECT_EQ(seen, std::vector<key::KeyId>(expected.begin(), expected.end()));
  auto count =
      Await<Result<int64_t>>(executor_, [&](auto done) { store().keys().Count(std::move(done)); });
  ASSERT_TRUE(count);
  EXPECT_EQ(*count, 15);
}

}  // namespace
}  // namespace p402::conformance
