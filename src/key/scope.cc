#include "key/scope.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.h"

namespace p402::key {
namespace {

// Enough to recognise it; of a raw key that was put here by mistake, no more than lists show.
constexpr size_t kShownBytes = 16;

bool IsScopeCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

// [a-z0-9_.-]+(:[a-z0-9_.-]+)* or "*"
bool HasScopeForm(std::string_view text) {
  if (text == "*") return true;
  bool is_part_open = false;
  for (char c : text) {
    if (c == ':' && !is_part_open) return false;
    if (c != ':' && !IsScopeCharacter(c)) return false;
    is_part_open = c != ':';
  }
  return is_part_open;
}

Failure BadScope(std::string_view scope, std::string_view rule) {
  // What is shown is cut, and has no character that could disturb a terminal or a header.
  std::string shown;
  for (char c : scope.substr(0, kShownBytes)) shown += c >= 0x20 && c < 0x7f ? c : '?';
  if (scope.size() > kShownBytes) shown += "...";
  return InvalidArgument("scopes", fmt::format("the scope \"{}\" {}", shown, rule));
}

}  // namespace

bool IsScope(std::string_view text) {
  return text.size() <= limits::kScopeBytes && HasScopeForm(text);
}

Result<ScopeSet> ScopeSet::Parse(std::span<const std::string> scopes) {
  ScopeSet set;
  for (const std::string& scope : scopes) {
    if (scope.size() > limits::kScopeBytes) {
      return BadScope(scope, fmt::format("is longer than {} bytes", limits::kScopeBytes));
    }
    if (!HasScopeForm(scope)) {
      return BadScope(scope, "is not of the form a-z 0-9 _ . - in parts joined by ':', or \"*\"");
    }
    set.scopes_.push_back(scope);
  }
  std::sort(set.scopes_.begin(), set.scopes_.end());
  set.scopes_.erase(std::unique(set.scopes_.begin(), set.scopes_.end()), set.scopes_.end());
  size_t bytes = set.scopes_.empty() ? 0 : set.scopes_.size() - 1;
  for (const std::string& scope : set.scopes_) bytes += scope.size();
  if (bytes > limits::kScopesBytes) {
    return InvalidArgument(
        "scopes", fmt::format("together the scopes have more than {} bytes", limits::kScopesBytes));
  }
  return set;
}

Result<ScopeSet> ScopeSet::ParseText(std::string_view text) {
  std::vector<std::string> scopes;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    scopes.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
    if (text.empty()) break;
    text.remove_prefix(1);
    if (text.empty()) return BadScope("", "is empty");
  }
  return Parse(scopes);
}

bool ScopeSet::Covers(std::string_view scope) const {
  const auto has = [this](std::string_view wanted) {
    return std::binary_search(scopes_.begin(), scopes_.end(), wanted);
  };
  return has(scope) || has("*");
}

bool ScopeSet::Includes(const ScopeSet& other) const {
  return std::all_of(other.scopes_.begin(), other.scopes_.end(),
                     [this](const std::string& scope) { return Covers(scope); });
}

std::string ScopeSet::ToString() const {
  return fmt::format("{}", fmt::join(scopes_, " "));
}

bool ScopesCover(std::string_view scopes, std::string_view scope) {
  // "*" sorts before every other scope.
  if (scopes == "*" || scopes.starts_with("* ")) return true;
  while (!scopes.empty()) {
    const size_t end = std::min(scopes.find(' '), scopes.size());
    if (scopes.substr(0, end) == scope) return true;
    scopes.remove_prefix(std::min(end + 1, scopes.size()));
  }
  return false;
}

}  // namespace p402::key
