#include "api/routes.h"

#include "api/api.h"
#include "gtest/gtest.h"

namespace p402::api {
namespace {

constexpr std::string_view kId = "key_01jx0000000000000000000000";

std::string PatternOf(std::string_view method, std::string_view path) {
  const Match match = FindRoute(method, path);
  return match.route == nullptr ? "" : std::string(match.route->pattern);
}

TEST(Routes, A_EveryRouteIsFoundByItsOwnPath) {
  for (const Route& route : Routes()) {
    std::string path(route.pattern);
    const size_t hole = path.find("{id}");
    if (hole != std::string::npos) path.replace(hole, 4, kId);
    const Match match = FindRoute(route.method, path);
    ASSERT_EQ(match.route, &route) << path;
    EXPECT_EQ(match.parameter, hole == std::string::npos ? "" : kId);
    EXPECT_NE(route.handle, nullptr);
  }
}

TEST(Routes, A_OnlyHealthAndTheDescriptionArePublic) {
  for (const Route& route : Routes()) {
    const bool is_public =
        route.pattern == "/livez" || route.pattern == "/readyz" || route.pattern == "/openapi.yaml";
    EXPECT_EQ(route.access == Access::kPublic, is_public) << route.pattern;
    const bool needs_scope = !is_public && route.pattern != "/api/v2/keys/self";
    EXPECT_EQ(!route.scope.empty(), needs_scope) << route.pattern;
  }
}

TEST(Routes, B_UnknownPaths) {
  for (const std::string_view path :
       {"", "/", "/api", "/api/v2/keys/", "/api/v2//keys", "/API/v2/keys", "/api/v2/key",
        "/api/v2/keys/nonsense", "/api/v2/keys/key_", "/api/v2/keys/self/rotate",
        "/api/v2/keys//rotate", "/api/v2/keys/key_01jx0000000000000000000000/",
        "/api/v2/keys/acct_01jx0000000000000000000000", "/api/v2/keys/../keys", "/livez/",
        "/api/v2/keys%2fself", "/api/v2/keys/key_01jx0000000000000000000000/rotate/x", "/authz"}) {
    const Match match = FindRoute("GET", path);
    EXPECT_EQ(match.route, nullptr) << path;
    EXPECT_EQ(match.allow, "") << path;
  }
}

TEST(Routes, B_AWrongMethodNamesTheOthers) {
  EXPECT_EQ(FindRoute("PUT", "/api/v2/keys").allow, "POST, GET, HEAD");
  EXPECT_EQ(FindRoute("OPTIONS", "/api/v2/keys").allow, "POST, GET, HEAD");
  EXPECT_EQ(FindRoute("POST", "/api/v2/keys/" + std::string(kId)).allow,
            "GET, HEAD, PATCH, DELETE");
  EXPECT_EQ(FindRoute("GET", "/api/v2/keys/verify").allow, "POST");
  EXPECT_EQ(FindRoute("DELETE", "/api/v2/keys/self").allow, "GET, HEAD");
  EXPECT_EQ(FindRoute("get", "/livez").allow, "GET, HEAD") << "methods are case-sensitive";
}

TEST(Routes, A_HeadIsAnsweredAsGet) {
  EXPECT_EQ(PatternOf("HEAD", "/api/v2/keys"), "/api/v2/keys");
  EXPECT_EQ(PatternOf("HEAD", "/api/v2/backup"), "");
}

// The operations that are described, as "method path". YAML: two and four spaces deep.
std::vector<std::string> DescribedOperations() {
  std::vector<std::string> operations;
  std::string_view text = OpenApiText();
  std::string path;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.starts_with("components:")) break;
    if (line.starts_with("  /")) path = line.substr(2, line.size() - 3);
    const bool is_member = line.starts_with("    ") && line.size() > 5 && line[4] != ' ';
    if (is_member && !path.empty() && line.ends_with(':')) {
      operations.push_back(std::string(line.substr(4, line.size() - 5)) + " " + path);
    }
  }
  return operations;
}

std::string Lower(std::string_view text) {
  std::string lower;
  for (const char c : text) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

TEST(Routes, A9_OpenApiDescribesEveryRouteAndNoOther) {
  std::vector<std::string> expected;
  for (const Route& route : Routes()) {
    expected.push_back(Lower(route.method) + " " + std::string(route.pattern));
  }
  std::vector<std::string> described;
  for (const std::string& operation : DescribedOperations()) {
    const bool is_route = !operation.starts_with("parameters ");
    if (is_route && !operation.ends_with("/authz/{route}")) described.push_back(operation);
  }
  std::ranges::sort(expected);
  std::ranges::sort(described);
  EXPECT_EQ(described, expected);
}

TEST(Routes, A9_OpenApiNamesEveryFieldParameterAndScope) {
  const std::string_view text = OpenApiText();
  ASSERT_TRUE(text.starts_with("openapi: 3.1"));
  for (const Route& route : Routes()) {
    for (std::string_view words : {route.query, route.fields}) {
      while (!words.empty()) {
        const std::string word(words.substr(0, words.find(' ')));
        words.remove_prefix(std::min(word.size() + 1, words.size()));
        const bool is_described = text.find(" " + word + ":\n") != std::string_view::npos ||
                                  text.find(" " + word + ": {") != std::string_view::npos ||
                                  text.find("name: " + word + "\n") != std::string_view::npos;
        EXPECT_TRUE(is_described) << word;
      }
    }
    if (route.scope.empty()) continue;
    EXPECT_NE(text.find("x-needed-scope: " + std::string(route.scope)), std::string_view::npos);
  }
}

}  // namespace
}  // namespace p402::api
