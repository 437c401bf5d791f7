#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "cli/console.h"
#include "net/http_client.h"

namespace CLI {
class App;
class Validator;
}  // namespace CLI

namespace p402::cli {

// C3. Scripts rely on them: never renumber.
inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;      // by the server, or by this machine
inline constexpr int kUsage = 2;        // wrong usage
inline constexpr int kUnreachable = 3;  // no server there

// What a command gets from the process.
// Lifetime: outlives the commands.
struct Process {
  Console& console;
  const Clock& clock;
  std::function<std::optional<std::string>(const char* name)> env;
  std::function<Result<std::unique_ptr<net::HttpClient>>(std::string ca_file)> make_client;
};

// What every registered command shares.
struct Context {
  Process process;
  std::function<int()> chosen = {};  // the command that was parsed; returns the exit code
};

// Options of every command that talks to a server.
struct Common {
  std::string server = {};
  std::string ca_file = {};
  bool is_json = false;
};

// Adds a sub-command; its help ends with `example`.
CLI::App& AddCommand(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& example);
// Adds a sub-command that only groups others.
CLI::App& AddGroup(CLI::App& parent, const std::string& name, const std::string& description,
                   const std::string& example);
// Adds --server, --ca-file and --json, and the environment to the help.
// Lifetime: `common` outlives the parse.
void AddCommon(CLI::App& command, Common& common);

// What the value of an option must be. One that is not is wrong usage, told with the option: "--limit
// must be a number from 1 to 1000", "--mode must be live or test".
CLI::Validator NumberFrom(int least, int most);
CLI::Validator OneOf(const std::vector<std::string>& words);

// Prints "p402: message" to standard error and returns `code`.
int Complain(const Process& process, std::string_view message, int code);

// One per file <name>.cc.
void RegisterKeysCreate(CLI::App& keys, Context& context);
void RegisterKeysList(CLI::App& keys, Context& context);
void RegisterKeysGet(CLI::App& keys, Context& context);
void RegisterKeysUpdate(CLI::App& keys, Context& context);
void RegisterKeysRevoke(CLI::App& keys, Context& context);
void RegisterKeysRotate(CLI::App& keys, Context& context);
void RegisterKeysVerify(CLI::App& keys, Context& context);
void RegisterAccountsCreate(CLI::App& accounts, Context& context);
void RegisterAccountsList(CLI::App& accounts, Context& context);
void RegisterAuditList(CLI::App& audit, Context& context);
void RegisterAuditVerify(CLI::App& audit, Context& context);
void RegisterAuditAnchor(CLI::App& audit, Context& context);
void RegisterAuditPrune(CLI::App& audit, Context& context);
void RegisterBackup(CLI::App& root, Context& context);
void RegisterCompletion(CLI::App& root, Context& context);
void RegisterManual(CLI::App& root, Context& context);
void RegisterVersion(CLI::App& root, Context& context);

}  // namespace p402::cli
