#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace p402::cli {

struct Context;
struct Process;

// The commands that talk to a server over HTTP, like any other client.
// Lifetime: outlives the CLI::App it was registered with.
class Commands {
 public:
  explicit Commands(Process process);
  // With the real console, environment and network.
  static std::unique_ptr<Commands> OfThisProcess(const Clock& clock);
  ~Commands();
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  void Register(CLI::App& root);
  // Runs the command that `root` has parsed. Returns the exit code; nullopt if it was none of
  // these.
  std::optional<int> Run();

 private:
  std::unique_ptr<struct Owned> owned_;
  std::unique_ptr<Context> context_;
};

// Makes the help of the program itself show every command with its description and its example, and
// the environment.
// Requires: every command is registered.
void InstallOverview(CLI::App& root);

// The words of the command line `argv` without the program's name: "help keys" is "keys --help".
std::vector<std::string> CommandWords(std::span<const char* const> argv);

// What was wrong with the command line, naming the word and what it may have been meant for, and
// which help to read: two lines.
// Requires: `root` has thrown `error` while it parsed.
std::string DescribeUsageError(const CLI::App& root, const CLI::ParseError& error);

// "0.1.0".
std::string_view Version();

// True after saying so on standard error if an argument looks like a raw key (C3): called before
// anything parses, prints or logs the arguments.
bool RefuseRawKeys(std::span<const char* const> arguments);

}  // namespace p402::cli
