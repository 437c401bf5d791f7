#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace p402::key {

// True if `text` is "*" or of the form [a-z0-9_.-]+(:[a-z0-9_.-]+)*, with at most
// limits::kScopeBytes. Cost: no allocation.
bool IsScope(std::string_view text);

// A set of scopes: sorted, without duplicates. "*" covers every scope of the key's account. Scopes
// match exactly.
class ScopeSet {
 public:
  ScopeSet() = default;
  // Errors: kInvalidArgument (field "scopes") naming the scope and the limit: the form
  // [a-z0-9_.-]+(:[a-z0-9_.-]+)* or "*", 64 bytes each, 1 KiB together with separators.
  static Result<ScopeSet> Parse(std::span<const std::string> scopes);
  // Space-separated, as ToString() writes it.
  static Result<ScopeSet> ParseText(std::string_view text);

  bool Covers(std::string_view scope) const;
  // True if every scope of `other` is covered by this set.
  bool Includes(const ScopeSet& other) const;
  bool empty() const { return scopes_.empty(); }
  const std::vector<std::string>& values() const { return scopes_; }
  std::string ToString() const;
  bool operator==(const ScopeSet&) const = default;

 private:
  std::vector<std::string> scopes_;
};

// As ScopeSet::ParseText(scopes)->Covers(scope), without an allocation.
// Requires: `scopes` is what ToString() of a set gave.
bool ScopesCover(std::string_view scopes, std::string_view scope);

}  // namespace p402::key
