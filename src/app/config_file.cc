#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "app/config.h"

namespace p402::app {
namespace {

Failure Bad(std::string_view name, std::string_view what) {
  return InvalidArgument(std::string(name), fmt::format("\"{}\" {}", name, what));
}

const Setting* FindSetting(std::string_view name) {
  const auto settings = Settings();
  const auto found = std::find_if(settings.begin(), settings.end(),
                                  [&](const Setting& setting) { return setting.name == name; });
  return found == settings.end() ? nullptr : &*found;
}

// A scalar as the text that a flag would have; nullopt for any other kind of value.
std::optional<std::string> ScalarText(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
  return std::nullopt;
}

Result<std::vector<std::string>> TextsOf(const toml::array& array, std::string_view name) {
  std::vector<std::string> texts;
  for (const auto& element : array) {
    const auto* text = element.as_string();
    if (text == nullptr) return Bad(name, "must be a list of texts");
    texts.push_back(text->get());
  }
  return texts;
}

Result<std::vector<std::string>> ReadValue(const Setting& setting, const toml::node& node) {
  if (const auto* array = node.as_array()) {
    if (!setting.is_list) return Bad(setting.name, "must be one value, not a list");
    return TextsOf(*array, setting.name);
  }
  auto text = ScalarText(node);
  const bool is_switch = setting.type_name.empty();
  if (!text || is_switch != node.is_boolean()) {
    return Bad(setting.name, is_switch ? "must be true or false" : "must be a text");
  }
  return std::vector<std::string>{std::move(*text)};
}

Status ReadRouteMember(std::string_view member, const toml::node& node, std::string_view where,
                       api::AuthzRoute& route) {
  if (member == "scopes") {
    const auto* array = node.as_array();
    if (array == nullptr) return Bad(where, "must be a list of texts");
    P402_TRY(route.scopes, TextsOf(*array, where));
    const auto scopes = key::ScopeSet::Parse(route.scopes);
    return scopes ? Status{} : Bad(where, scopes.error().public_message);
  }
  if (member == "deny_status") {
    const auto status = node.value_exact<int64_t>();
    if (status != 401 && status != 403) return Bad(where, "must be 401 or 403");
    route.deny_status = static_cast<int>(*status);
    return {};
  }
  const auto* text = node.as_string();
  if (member == "account") {
    const auto account = text == nullptr ? std::nullopt : key::AccountId::Parse(text->get());
    if (!account) return Bad(where, "must be an account id like acct_01jx…");
    route.account = *account;
    return {};
  }
  if (member == "mode") {
    const bool is_any = text != nullptr && text->get() == "any";
    route.mode = text == nullptr || is_any ? std::nullopt : key::ParseMode(text->get());
    if (!is_any && !route.mode) return Bad(where, "must be \"live\", \"test\" or \"any\"");
    return {};
  }
  return Bad(where, "is unknown (known: scopes, account, mode, deny_status)");
}

Result<Routes> ReadRoutes(const toml::node& node) {
  const auto* table = node.as_table();
  if (table == nullptr) return Bad("routes", "must be tables: [routes.NAME]");
  Routes routes;
  for (auto&& [name, value] : *table) {
    const std::string where = fmt::format("routes.{}", name.str());
    const auto* members = value.as_table();
    if (members == nullptr) return Bad(where, "must be a table");
    api::AuthzRoute route;
    for (auto&& [member, member_value] : *members) {
      P402_TRY(ReadRouteMember(member.str(), member_value,
                               fmt::format("{}.{}", where, member.str()), route));
    }
    routes.emplace(name.str(), std::move(route));
  }
  return routes;
}

Result<FileConfig> Convert(const toml::table& table) {
  FileConfig config;
  for (auto&& [key, node] : table) {
    if (key == "routes") {
      P402_TRY(config.routes, ReadRoutes(node));
      continue;
    }
    std::string name(key.str());
    std::replace(name.begin(), name.end(), '_', '-');
    const Setting* setting = FindSetting(name);
    if (setting == nullptr) return Bad(key.str(), "is unknown: p402 serve --help lists every name");
    P402_TRY(auto values, ReadValue(*setting, node));
    if (!config.values.emplace(name, std::move(values)).second) {
      return Bad(key.str(), "is there twice, with - and with _");
    }
  }
  return config;
}

}  // namespace

Result<FileConfig> ParseConfig(std::string_view toml) {
  try {
    return Convert(toml::parse(toml));
  } catch (const toml::parse_error& error) {
    return InvalidArgument(
        "config", fmt::format("line {}: {}", error.source().begin.line, error.description()));
  }
}

}  // namespace p402::app
