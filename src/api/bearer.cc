#include "api/bearer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.h"
#include "net/ascii.h"

namespace p402::api {
namespace {

Failure Twice(std::string_view name) {
  return InvalidArgument(std::string(name), fmt::format("The header {} is there twice.", name));
}

// The content of a structured-field string (RFC 8941 section 3.3.3), or nullopt.
std::optional<std::string> Unquoted(std::string_view text) {
  if (text.size() < 2 || text.back() != '"') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') return std::nullopt;
    if (text[at] == '\\') {
      ++at;
      if (at == text.size() || (text[at] != '"' && text[at] != '\\')) return std::nullopt;
    }
    out += text[at];
  }
  return out;
}

bool IsVisible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; });
}

// The next item of a list, up to `separator` outside of quotes; takes it off `rest`.
std::string_view TakeItem(std::string_view& rest, char separator) {
  bool is_quoted = false;
  size_t end = 0;
  for (; end < rest.size() && (is_quoted || rest[end] != separator); ++end) {
    if (rest[end] == '"') is_quoted = !is_quoted;
  }
  const std::string_view item = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return net::TrimBlanks(item);
}

bool IsUtf8Parameter(std::string_view parameter) {
  const size_t equals = parameter.find('=');
  if (equals == std::string_view::npos) return false;
  if (!net::EqualsIgnoreCase(parameter.substr(0, equals), "charset")) return false;
  std::string_view value = parameter.substr(equals + 1);
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  return net::EqualsIgnoreCase(value, "utf-8");
}

bool IsJson(std::string_view value, bool is_patch) {
  const std::string_view type = TakeItem(value, ';');
  const bool is_known = net::EqualsIgnoreCase(type, "application/json") ||
                        (is_patch && net::EqualsIgnoreCase(type, "application/merge-patch+json"));
  if (!is_known) return false;
  while (!value.empty()) {
    if (!IsUtf8Parameter(TakeItem(value, ';'))) return false;
  }
  return true;
}

}  // namespace

Result<Presented> ReadPresented(const net::Request& request, ApiKeyHeader api_key_header) {
  constexpr std::string_view kScheme = "bearer";
  const net::HeaderMatch authorization = request.FindHeader("authorization");
  const net::HeaderMatch api_key = request.FindHeader("x-api-key");
  if (authorization.count > 1) return Twice("Authorization");
  if (api_key.count > 0 && authorization.count > 0) {
    return InvalidArgument("X-API-Key", "Send Authorization or X-API-Key, not both.");
  }
  if (api_key.count > 0 && api_key_header == ApiKeyHeader::kAccepted) {
    if (api_key.count > 1) return Twice("X-API-Key");
    return Presented{.is_present = true, .token = api_key.value};
  }
  if (authorization.count == 0) return Presented{};
  const std::string_view scheme = authorization.value.substr(0, authorization.value.find(' '));
  if (!net::EqualsIgnoreCase(scheme, kScheme)) return Presented{.is_present = true};
  return Presented{.is_present = true,
                   .token = net::TrimBlanks(authorization.value.substr(scheme.size()))};
}

Result<std::optional<std::string>> ReadIdempotencyKey(const net::Request& request) {
  constexpr std::string_view kName = "Idempotency-Key";
  const auto [count, value] = request.FindHeader(kName);
  if (count == 0) return std::nullopt;
  if (count > 1) return Twice(kName);
  const auto key = value.starts_with('"') ? Unquoted(value) : std::optional<std::string>(value);
  if (!key || key->empty() || key->size() > limits::kIdempotencyKeyBytes || !IsVisible(*key)) {
    return InvalidArgument(std::string(kName),
                           fmt::format("{} must be 1 to {} visible ASCII characters.", kName,
                                       limits::kIdempotencyKeyBytes));
  }
  return *key;
}

bool PrefersAsync(const net::Request& request) {
  for (const net::HeaderView& header : request.headers) {
    if (!net::EqualsIgnoreCase(header.name, "prefer")) continue;
    std::string_view list = header.value;
    while (!list.empty()) {
      std::string_view preference = TakeItem(list, ',');
      if (net::EqualsIgnoreCase(TakeItem(preference, ';'), "respond-async")) return true;
    }
  }
  return false;
}

Status CheckContentType(const net::Request& request, bool is_patch) {
  const net::HeaderMatch type = request.FindHeader("content-type");
  const bool is_json =
      type.count == 1 && (type.value == "application/json" || IsJson(type.value, is_patch));
  if (is_json && request.FindHeader("content-encoding").count == 0) return {};
  return Failure(Error{.code = ErrorCode::kInvalidArgument, .reason = "unsupported_media_type"});
}

}  // namespace p402::api
