#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace p402::api {

// The query of a request target, read strictly: name=value pairs as HTML forms and most clients
// encode them, with percent-escapes, and '+' for a space. Errors of every method: kInvalidArgument
// naming the parameter.
class Query {
 public:
  // `allowed`: the known names, separated by spaces.
  // Errors: an unknown or repeated parameter, a pair without '=', a broken escape, a control
  // character, a text that is not UTF-8.
  static Result<Query> Parse(std::string_view query, std::string_view allowed);

  std::optional<std::string> Text(std::string_view name) const;
  // A whole number from `min` to `max`.
  Result<size_t> Number(std::string_view name, size_t absent, size_t min, size_t max) const;
  // "true" or "false"; absent is false.
  Result<bool> Flag(std::string_view name) const;
  Result<std::optional<WallTime>> Time(std::string_view name) const;
  Result<std::optional<Millis>> Duration(std::string_view name) const;

  // The same query with another cursor, encoded: where the next page is.
  std::string WithCursor(std::string_view cursor) const;

 private:
  const std::string* Find(std::string_view name) const;
  std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace p402::api
