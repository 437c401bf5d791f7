#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace CLI {
class App;
}

namespace p402::app {

// The commands of the server itself: serve, init, restore, and audit verify --data.
// Lifetime: outlives the CLI::App it was registered with; `clock` outlives it.
class Commands {
 public:
  explicit Commands(const Clock& clock);
  ~Commands();
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  void Register(CLI::App& root);
  // Adds --data to `command`, which has --anchor and --json: with it, the command is one of these.
  void ExtendAuditVerify(CLI::App& command);
  // Runs the command that `root` has parsed. Returns the exit code; nullopt if it was none of
  // these.
  std::optional<int> Run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace p402::app
