#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/node.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"

namespace p402::app {

// One setting of `p402 serve`. "drain-time" is the flag --drain-time, the variable
// P402_DRAIN_TIME and drain_time (or drain-time) in the file.
struct Setting {
  std::string_view name;
  std::string_view type_name;  // "ADDR"; empty: a switch
  std::string_view help;       // with unit and default
  bool is_list = false;        // flags may be repeated, commas separate, the file has an array
};
std::span<const Setting> Settings();
// "P402_DRAIN_TIME" for "drain-time".
std::string EnvironmentName(std::string_view setting);

// What one source says: by the name of the setting, as text. Switches are "true" or "false".
using Values = std::map<std::string, std::vector<std::string>, std::less<>>;
// A flag beats the environment, and the environment beats the file.
Values Merge(Values stronger, const Values& weaker);

using Routes = std::map<std::string, api::AuthzRoute, std::less<>>;
struct FileConfig {
  Values values = {};
  Routes routes = {};  // [routes.NAME]
};
// Parses the file.
// Errors: kInvalidArgument naming the line or the unknown or mistyped name.
Result<FileConfig> ParseConfig(std::string_view toml);

struct ServeOptions {
  NodeOptions node = {};
  LogOptions log = {};
  std::string public_url = "http://localhost:4020";
  bool has_public_url = false;  // it was set, so printed links use it
  Millis drain_time = std::chrono::seconds(30);
};
// Errors: kInvalidArgument naming the setting and what it takes; S2.
Result<ServeOptions> BuildServeOptions(const Values& values, Routes routes);

}  // namespace p402::app
