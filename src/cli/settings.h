#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "cli/command.h"

namespace p402::cli {

// Which server, and as whom.
struct Settings {
  std::string server;  // "http://127.0.0.1:4020", without a slash at the end
  std::string ca_file = {};
  Secret key;
  std::string key_source = {};  // the variable or the file that the key was read from
};

// A flag beats the environment (P402_URL, P402_API_KEY, P402_CA_FILE), and the environment beats
// config.toml in $XDG_CONFIG_HOME/p402 or ~/.config/p402.
// Errors: kInvalidArgument for a bad URL, no key, an unknown or mistyped name in the file, or a
// file that others may read or write (it must have mode 0600 and belong to the user).
Result<Settings> LoadSettings(const Process& process, const Common& common);

// Errors: kInvalidArgument unless `url` is http:// or https:// with a host and nothing behind the
// path; credentials in it are refused.
Result<std::string> CheckServer(std::string_view url);

}  // namespace p402::cli
