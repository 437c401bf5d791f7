#include "key/scope.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace p402::key {
namespace {

ScopeSet Set(std::vector<std::string> scopes) {
  auto set = ScopeSet::Parse(scopes);
  EXPECT_TRUE(set);
  return set.value_or(ScopeSet());
}

std::string Refusal(std::vector<std::string> scopes) {
  const auto set = ScopeSet::Parse(scopes);
  if (set) return "";
  EXPECT_EQ(set.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(set.error().field, "scopes");
  return set.error().public_message;
}

TEST(ScopeSet, A1_TakesTheFormOfAScope) {
  for (const char* good : {"*", "a", "models:read", "a.b_c-d:0", "a:b:c", "-", "_", "."}) {
    EXPECT_EQ(Refusal({good}), "") << good;
  }
  for (const char* bad : {"", ":", "a:", ":a", "a::b", "A", "models:*", "a*", "**", "a b", "a\n",
                          "é", "a/b", "a,b", "models:Read"}) {
    EXPECT_NE(Refusal({bad}), "") << bad;
  }
  EXPECT_NE(Refusal({std::string("a\0b", 3)}), "");
}

TEST(ScopeSet, A1_EveryByteThatIsNotAllowedIsRefused) {
  size_t accepted = 0;
  for (int byte = 0; byte < 256; ++byte) {
    accepted += Refusal({std::string{'a', static_cast<char>(byte), 'b'}}).empty();
  }
  EXPECT_EQ(accepted, 26u + 10 + 3 + 1);
}

TEST(ScopeSet, A1_AScopeHasAtMost64Bytes) {
  EXPECT_EQ(Refusal({std::string(limits::kScopeBytes, 'a')}), "");
  EXPECT_NE(Refusal({std::string(limits::kScopeBytes + 1, 'a')}).find("64 bytes"),
            std::string::npos);
}

TEST(ScopeSet, A1_TogetherTheyHaveAtMost1KiB) {
  // 15 scopes of 64 bytes, a short one, and the spaces between them.
  std::vector<std::string> scopes;
  for (char c = 'a'; c < 'p'; ++c) scopes.emplace_back(limits::kScopeBytes, c);
  scopes.emplace_back(limits::kScopesBytes - 15 * (limits::kScopeBytes + 1), 'p');
  EXPECT_EQ(Set(scopes).ToString().size(), limits::kScopesBytes);
  scopes.back() += 'p';
  EXPECT_NE(Refusal(scopes).find("1024 bytes"), std::string::npos);
}

TEST(ScopeSet, ARefusalNamesTheScopeSafely) {
  EXPECT_NE(Refusal({"good", "Bad"}).find("\"Bad\""), std::string::npos);
  const std::string shown = Refusal({"a\x1b\r\n" + std::string(500, 'x')});
  EXPECT_EQ(shown.find('\n'), std::string::npos);
  EXPECT_EQ(shown.find('\x1b'), std::string::npos);
  EXPECT_LT(shown.size(), 200u);
}

TEST(ScopeSet, IsSortedAndHasNoDuplicates) {
  const ScopeSet set = Set({"b", "a", "b", "*"});
  EXPECT_EQ(set.values(), (std::vector<std::string>{"*", "a", "b"}));
  EXPECT_EQ(set.ToString(), "* a b");
  EXPECT_EQ(set, Set({"a", "*", "b"}));
}

TEST(ScopeSet, ParsesItsOwnText) {
  for (const ScopeSet& set : {Set({}), Set({"*"}), Set({"a:b", "c"})}) {
    EXPECT_EQ(ScopeSet::ParseText(set.ToString()).value(), set);
  }
  EXPECT_EQ(ScopeSet::ParseText("b a").value(), Set({"a", "b"}));
  for (const char* bad : {" ", " a", "a ", "a  b", "a\tb", "a\n"}) {
    EXPECT_FALSE(ScopeSet::ParseText(bad)) << bad;
  }
}

TEST(ScopeSet, A1_MatchesExactly) {
  const ScopeSet set = Set({"models:read", "keys"});
  EXPECT_TRUE(set.Covers("models:read"));
  EXPECT_TRUE(set.Covers("keys"));
  for (const char* other : {"models", "models:rea", "models:read:all", "keys:read", "", "*"}) {
    EXPECT_FALSE(set.Covers(other)) << other;
  }
}

TEST(ScopeSet, A2_TheStarCoversEverything) {
  const ScopeSet all = Set({"*"});
  EXPECT_TRUE(all.Covers("models:read"));
  EXPECT_TRUE(all.Covers("*"));
  EXPECT_FALSE(Set({}).Covers("a"));
}

// Every pair of these sets: is the column within the row?
TEST(ScopeSet, A2_IncludesEveryPair) {
  const std::vector<ScopeSet> sets = {Set({}),         Set({"a"}), Set({"b"}),
                                      Set({"a", "b"}), Set({"*"}), Set({"*", "a"})};
  const int expected[6][6] = {
      {1, 0, 0, 0, 0, 0},  // nothing
      {1, 1, 0, 0, 0, 0},  // a
      {1, 0, 1, 0, 0, 0},  // b
      {1, 1, 1, 1, 0, 0},  // a b
      {1, 1, 1, 1, 1, 1},  // *
      {1, 1, 1, 1, 1, 1},  // * a
  };
  for (size_t row = 0; row < sets.size(); ++row) {
    for (size_t column = 0; column < sets.size(); ++column) {
      EXPECT_EQ(sets[row].Includes(sets[column]), expected[row][column] == 1)
          << sets[row].ToString() << " / " << sets[column].ToString();
    }
  }
}

TEST(IsScope, A1_HasTheFormAndTheLimitOfASet) {
  EXPECT_TRUE(IsScope("*"));
  EXPECT_TRUE(IsScope("models:read"));
  EXPECT_TRUE(IsScope(std::string(limits::kScopeBytes, 'a')));
  EXPECT_FALSE(IsScope(std::string(limits::kScopeBytes + 1, 'a')));
  EXPECT_FALSE(IsScope(""));
  EXPECT_FALSE(IsScope("models:"));
  EXPECT_FALSE(IsScope("Models"));
  EXPECT_FALSE(IsScope("a b"));
}

TEST(ScopeSet, V1_ATextCoversWhatItsSetCovers) {
  const std::vector<std::string> all = {"*", "a", "b", "a:b", "ab", "b.a", "-", "z"};
  for (unsigned chosen = 0; chosen < 1u << all.size(); ++chosen) {
    std::vector<std::string> scopes;
    for (size_t i = 0; i < all.size(); ++i) {
      if (chosen >> i & 1) scopes.push_back(all[i]);
    }
    const ScopeSet set = Set(scopes);
    for (const char* asked :
         {"*", "a", "b", "a:b", "ab", "b.a", "-", "z", "c", "", "a b", "b ", ":"}) {
      EXPECT_EQ(ScopesCover(set.ToString(), asked), set.Covers(asked))
          << set.ToString() << " | " << asked;
    }
  }
}

}  // namespace
}  // namespace p402::key
