#include "api/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/json_in.h"
#include "base/text.h"

namespace p402::api {
namespace {

Failure Refused(std::string_view name, std::string_view what) {
  const std::string shown = ShowableName(name);
  return InvalidArgument(shown, fmt::format("The parameter \"{}\" {}.", shown, what));
}

Result<std::string> Decoded(std::string_view name, std::string encoded) {
  std::string text;
  std::ranges::replace(encoded, '+', ' ');
  if (!PercentDecode(encoded, text)) return Refused(name, "has a broken percent-escape");
  if (!IsValidUtf8(text)) return Refused(name, "is not UTF-8");
  if (HasControlCharacter(text)) return Refused(name, "has a control character");
  return text;
}

}  // namespace

Result<Query> Query::Parse(std::string_view query, std::string_view allowed) {
  Query parsed;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const size_t equals = pair.find('=');
    P402_TRY(std::string name, Decoded("(not shown)", std::string(pair.substr(0, equals))));
    if (!IsOneOf(name, allowed) || name.empty()) return Refused(name, "is unknown here");
    if (parsed.Find(name) != nullptr) return Refused(name, "is there twice");
    if (equals == std::string_view::npos) return Refused(name, "needs a value");
    P402_TRY(std::string value, Decoded(name, std::string(pair.substr(equals + 1))));
    parsed.pairs_.emplace_back(std::move(name), std::move(value));
  }
  return parsed;
}

const std::string* Query::Find(std::string_view name) const {
  const auto found = std::ranges::find(pairs_, name, &std::pair<std::string, std::string>::first);
  return found == pairs_.end() ? nullptr : &found->second;
}

std::optional<std::string> Query::Text(std::string_view name) const {
  const std::string* value = Find(name);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

Result<size_t> Query::Number(std::string_view name, size_t absent, size_t min, size_t max) const {
  const std::string* value = Find(name);
  if (value == nullptr) return absent;
  size_t number = 0;
  const char* end = value->data() + value->size();
  const auto [used, error] = std::from_chars(value->data(), end, number);
  if (error != std::errc() || used != end || number < min || number > max) {
    return Refused(name, fmt::format("must be a whole number from {} to {}", min, max));
  }
  return number;
}

Result<bool> Query::Flag(std::string_view name) const {
  const std::string* value = Find(name);
  if (value == nullptr || *value == "false") return false;
  if (*value == "true") return true;
  return Refused(name, "must be true or false");
}

Result<std::optional<WallTime>> Query::Time(std::string_view name) const {
  const std::string* value = Find(name);
  if (value == nullptr) return std::nullopt;
  const auto time = ParseRfc3339(*value);
  if (!time) return Refused(name, "must be an RFC 3339 time such as 2026-04-15T12:00:00Z");
  return *time;
}

Result<std::optional<Millis>> Query::Duration(std::string_view name) const {
  const std::string* value = Find(name);
  if (value == nullptr) return std::nullopt;
  const auto duration = ParseDuration(*value);
  if (!duration) return Refused(name, "must be a whole number with s, m, h, d or w, such as 30d");
  return *duration;
}

std::string Query::WithCursor(std::string_view cursor) const {
  std::string out;
  for (const auto& [name, value] : pairs_) {
    if (name == "cursor") continue;
    out += fmt::format("{}={}&", name, PercentEncode(value));
  }
  return out + "cursor=" + PercentEncode(cursor);
}

}  // namespace p402::api
