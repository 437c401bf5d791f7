#pragma once

#include <filesystem>
#include <string>

#include "app/node.h"
#include "base/clock.h"
#include "store/sqlite/sqlite_store.h"

namespace p402::app {

// The commands that work on a data folder without serving. Each returns its exit code.

// C2.
struct InitOptions {
  std::string brand = "p402";
  std::string account_name = "default";
  bool is_json = false;
};
int Init(const std::filesystem::path& data, const InitOptions& options, const Clock& clock);

// C5.
int Restore(const store::sqlite::RestoreOptions& options, bool is_json, const Clock& clock);

// S1. `anchor_hex` is empty or 64 hex digits.
int VerifyAudit(const std::filesystem::path& data, const std::string& anchor_hex, bool is_json);

}  // namespace p402::app
