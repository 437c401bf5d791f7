#include "key/grant.h"

#include <gtest/gtest.h>

namespace p402::key {
namespace {

constexpr WallTime kSoon{Millis(1'000'000)};
constexpr WallTime kLate{Millis(2'000'000)};

Record Make(Mode mode, std::string_view scopes, std::optional<WallTime> expires_at,
            std::vector<std::string> cidrs) {
  Record record;
  record.mode = mode;
  record.scopes = *ScopeSet::ParseText(scopes);
  record.expires_at = expires_at;
  record.allowed_cidrs = *CidrSet::Parse(cidrs);
  return record;
}

// Every pair of caller and result over these values, against the rule written as plain set
// inclusions.
TEST(CheckWithin, A2_EveryPair) {
  const Mode modes[] = {Mode::kLive, Mode::kTest};
  const std::string_view scopes[] = {"", "a", "a b", "b", "*"};
  const std::optional<WallTime> expiries[] = {std::nullopt, kSoon, kLate};
  const std::vector<std::string> cidrs[] = {
      {}, {"10.0.0.0/8"}, {"10.1.0.0/16"}, {"10.1.0.0/16", "192.0.2.0/24"}};
  // includes[outer][inner]
  const bool scope_includes[5][5] = {
      {1, 0, 0, 0, 0}, {1, 1, 0, 0, 0}, {1, 1, 1, 1, 0}, {1, 0, 0, 1, 0}, {1, 1, 1, 1, 1}};
  const bool expiry_includes[3][3] = {{1, 1, 1}, {0, 1, 0}, {0, 1, 1}};
  const bool cidr_includes[4][4] = {{1, 1, 1, 1}, {0, 1, 1, 0}, {0, 0, 1, 0}, {0, 0, 1, 1}};
  const bool mode_includes[2][2] = {{1, 1}, {0, 1}};
  int allowed = 0;
  int refused = 0;
  for (size_t n = 0; n < 2 * 5 * 3 * 4 * 2 * 5 * 3 * 4; ++n) {
    size_t rest = n;
    const auto pick = [&rest](size_t count) {
      const size_t picked = rest % count;
      rest /= count;
      return picked;
    };
    const size_t cm = pick(2), cs = pick(5), ce = pick(3), cc = pick(4);
    const size_t rm = pick(2), rs = pick(5), re = pick(3), rc = pick(4);
    const Record caller = Make(modes[cm], scopes[cs], expiries[ce], cidrs[cc]);
    const Record result = Make(modes[rm], scopes[rs], expiries[re], cidrs[rc]);
    const bool expected = mode_includes[cm][rm] && scope_includes[cs][rs] &&
                          expiry_includes[ce][re] && cidr_includes[cc][rc];
    const Status status = CheckWithin(GrantOf(result), GrantOf(caller));
    ASSERT_EQ(status.has_value(), expected) << n;
    if (!status) {
      EXPECT_EQ(status.error().code, ErrorCode::kPermissionDenied);
      EXPECT_EQ(status.error().reason, "escalation");
    }
    ++(expected ? allowed : refused);
  }
  EXPECT_GT(allowed, 100);
  EXPECT_GT(refused, 100);
}

TEST(CheckMayActOn, A2_A8_AccountModeAndScopes) {
  Record caller = Make(Mode::kLive, "a b", {}, {});
  caller.id.uuid[0] = 1;
  Record target = Make(Mode::kLive, "a", {}, {});
  EXPECT_TRUE(CheckMayActOn(caller, target));
  target.scopes = *ScopeSet::ParseText("a c");
  EXPECT_EQ(CheckMayActOn(caller, target).error().reason, "escalation");
  target.account.uuid[0] = 9;
  EXPECT_EQ(CheckMayActOn(caller, target).error().code, ErrorCode::kNotFound);
  target = Make(Mode::kLive, "a", {}, {});
  caller.mode = Mode::kTest;
  EXPECT_EQ(CheckMayActOn(caller, target).error().code, ErrorCode::kNotFound);
  target.mode = Mode::kTest;
  EXPECT_TRUE(CheckMayActOn(caller, target));
}

TEST(CheckMayActOn, AKeyMayActOnItself) {
  Record caller = Make(Mode::kLive, "a", {}, {});
  EXPECT_TRUE(CheckMayActOn(caller, caller));
}

TEST(Kind, R1_NarrowerIsRestrictiveWiderIsPermissive) {
  const Record before = Make(Mode::kLive, "a b", kLate, {"10.0.0.0/8"});
  const auto with = [&](auto change) {
    Record after = before;
    change(after);
    return after;
  };
  struct Row {
    Record after;
    bool is_restrictive, is_permissive;
  };
  const std::vector<std::string> inner = {"10.1.0.0/16"};
  const std::vector<std::string> other = {"192.0.2.0/24"};
  const Row rows[] = {
      {with([](Record& r) { r.name = "x"; }), false, false},
      {with([](Record& r) { r.is_disabled = true; }), true, false},
      {with([](Record& r) { r.revoked_at = kSoon; }), true, false},
      {with([](Record& r) { r.scopes = *ScopeSet::ParseText("a"); }), true, false},
      {with([](Record& r) { r.scopes = *ScopeSet::ParseText("a b c"); }), false, true},
      {with([](Record& r) { r.scopes = *ScopeSet::ParseText("a c"); }), true, true},
      {with([](Record& r) { r.expires_at = kSoon; }), true, false},
      {with([](Record& r) { r.expires_at.reset(); }), false, true},
      {with([&](Record& r) { r.allowed_cidrs = *CidrSet::Parse(inner); }), true, false},
      {with([&](Record& r) { r.allowed_cidrs = {}; }), false, true},
      {with([&](Record& r) { r.allowed_cidrs = *CidrSet::Parse(other); }), true, true},
  };
  for (size_t i = 0; i < std::size(rows); ++i) {
    EXPECT_EQ(IsRestrictive(before, rows[i].after), rows[i].is_restrictive) << i;
    EXPECT_EQ(IsPermissive(before, rows[i].after), rows[i].is_permissive) << i;
  }
  const Record disabled = with([](Record& r) { r.is_disabled = true; });
  EXPECT_TRUE(IsPermissive(disabled, before));
}

}  // namespace
}  // namespace p402::key
