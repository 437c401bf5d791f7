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

// Acting on oneself asks for no scope, also when this version lost one in the meantime.
TEST(CheckMayActOn, AKeyMayActOnItself) {
  const Record caller = Make(Mode::kLive, "a", {}, {});
  Record newer = caller;
  newer.scopes = *ScopeSet::ParseText("a b");
  EXPECT_TRUE(CheckMayActOn(caller, newer));
}

TEST(MaySee, A2_A8_EveryPair) {
  for (const bool same_account : {true, false}) {
    for (const Mode caller_mode : {Mode::kLive, Mode::kTest}) {
      for (const Mode target_mode : {Mode::kLive, Mode::kTest}) {
        Record caller = Make(caller_mode, "a", {}, {});
        caller.id.uuid[0] = 1;
        Record target = Make(target_mode, "a", {}, {});
        if (!same_account) target.account.uuid[0] = 9;
        const bool expected =
            same_account && !(caller_mode == Mode::kTest && target_mode == Mode::kLive);
        EXPECT_EQ(MaySee(caller, target), expected);
        EXPECT_EQ(CheckMayActOn(caller, target).has_value(), expected);
      }
    }
  }
}

TEST(CheckMayActOn, A2_OnlyScopesThatTheCallerHas) {
  const char* scopes[] = {"", "a", "b", "a b", "*"};
  // may[caller][target]
  const bool may[5][5] = {
      {1, 0, 0, 0, 0}, {1, 1, 0, 0, 0}, {1, 0, 1, 0, 0}, {1, 1, 1, 1, 0}, {1, 1, 1, 1, 1}};
  for (size_t c = 0; c < 5; ++c) {
    for (size_t t = 0; t < 5; ++t) {
      Record caller = Make(Mode::kLive, scopes[c], {}, {});
      caller.id.uuid[0] = 1;
      const Record target = Make(Mode::kLive, scopes[t], {}, {});
      const Status status = CheckMayActOn(caller, target);
      ASSERT_EQ(status.has_value(), may[c][t]) << scopes[c] << " / " << scopes[t];
      if (status) continue;
      EXPECT_EQ(status.error().code, ErrorCode::kPermissionDenied);
    }
  }
}

TEST(CheckWithin, A2_NamesTheFirstFieldThatIsWider) {
  const Record caller = Make(Mode::kTest, "a", kSoon, {"10.0.0.0/8"});
  Record result = Make(Mode::kLive, "b", kLate, {"192.0.2.0/24"});
  const auto field = [&] {
    const Status status = CheckWithin(GrantOf(result), GrantOf(caller));
    if (status) return std::string();
    EXPECT_NE(status.error().public_message, "");
    return status.error().field;
  };
  EXPECT_EQ(field(), "mode");
  result.mode = Mode::kTest;
  EXPECT_EQ(field(), "scopes");
  result.scopes = caller.scopes;
  EXPECT_EQ(field(), "expires_at");
  result.expires_at = kSoon;
  EXPECT_EQ(field(), "allowed_cidrs");
  result.allowed_cidrs = caller.allowed_cidrs;
  EXPECT_EQ(field(), "");
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
  EXPECT_FALSE(IsRestrictive(disabled, before));
  EXPECT_FALSE(IsRestrictive(disabled, disabled));
  const Record revoked = with([](Record& r) { r.revoked_at = kSoon; });
  EXPECT_FALSE(IsRestrictive(revoked, revoked));
}

// The same networks in another spelling are neither.
TEST(Kind, R1_HalvesOfANetworkAreTheNetwork) {
  const Record whole = Make(Mode::kLive, "a", {}, {"10.0.0.0/8"});
  const Record halves = Make(Mode::kLive, "a", {}, {"10.0.0.0/9", "10.128.0.0/9"});
  EXPECT_FALSE(IsRestrictive(whole, halves));
  EXPECT_FALSE(IsPermissive(whole, halves));
  EXPECT_FALSE(IsRestrictive(halves, whole));
  EXPECT_FALSE(IsPermissive(halves, whole));
}

}  // namespace
}  // namespace p402::key
