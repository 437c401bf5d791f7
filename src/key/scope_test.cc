#include "key/scope.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace p402::key {
namespace {

using Texts = std::vector<std::string>;

ScopeSet Set(const Texts& scopes) {
  return *ScopeSet::Parse(scopes);
}

TEST(Scope, A1_TakesTheDocumentedForm) {
  for (const char* good : {"keys:write", "models:read", "a", "a.b-c_9", "a:b:c", "*"}) {
    EXPECT_TRUE(ScopeSet::Parse(Texts{good})) << good;
  }
  for (const char* bad : {"", ":", "a:", ":a", "a::b", "A", "a b", "a*", "**", "a\n", "\xc3\xbc"}) {
    const auto set = ScopeSet::Parse(Texts{bad});
    ASSERT_FALSE(set) << bad;
    EXPECT_EQ(set.error().field, "scopes");
  }
}

TEST(Scope, A1_HasLimitsEachAndTogether) {
  EXPECT_TRUE(ScopeSet::Parse(Texts{std::string(limits::kScopeBytes, 'a')}));
  EXPECT_FALSE(ScopeSet::Parse(Texts{std::string(limits::kScopeBytes + 1, 'a')}));
  // 16 scopes of 63 bytes and 15 separators are 1023 bytes.
  Texts many;
  for (char c = 'a'; c < 'a' + 16; ++c) many.push_back(std::string(63, c));
  many.front() += 'a';
  EXPECT_EQ(Set(many).ToString().size(), limits::kScopesBytes);
  many.back() += 'p';
  EXPECT_FALSE(ScopeSet::Parse(many));
}

TEST(Scope, IsASet) {
  EXPECT_EQ(Set({"b", "a", "b"}), Set({"a", "b"}));
  EXPECT_EQ(Set({"b", "a", "b"}).ToString(), "a b");
  EXPECT_EQ(*ScopeSet::ParseText("a b"), Set({"a", "b"}));
  EXPECT_EQ(*ScopeSet::ParseText(""), ScopeSet());
  EXPECT_FALSE(ScopeSet::ParseText("a  b"));
  EXPECT_FALSE(ScopeSet::ParseText("a "));
  EXPECT_FALSE(ScopeSet::ParseText(" a"));
}

TEST(Scope, A1_MatchesExactly) {
  const ScopeSet set = Set({"keys:write", "models"});
  EXPECT_TRUE(set.Covers("keys:write"));
  EXPECT_FALSE(set.Covers("keys"));
  EXPECT_FALSE(set.Covers("keys:write:x"));
  EXPECT_FALSE(set.Covers("models:read"));
  EXPECT_FALSE(set.Covers("*"));
  EXPECT_FALSE(ScopeSet().Covers("a"));
}

TEST(Scope, A2_AStarMeansEveryScope) {
  EXPECT_TRUE(Set({"*"}).Covers("anything:at:all"));
  EXPECT_TRUE(Set({"*"}).Includes(Set({"a", "b"})));
  EXPECT_TRUE(Set({"*"}).Includes(Set({"*"})));
  EXPECT_FALSE(Set({"a", "b"}).Includes(Set({"*"})));
  EXPECT_FALSE(Set({"a"}).Includes(Set({"a", "b"})));
  EXPECT_TRUE(Set({"a", "b"}).Includes(Set({"a"})));
  EXPECT_TRUE(ScopeSet().Includes(ScopeSet()));
}

}  // namespace
}  // namespace p402::key
