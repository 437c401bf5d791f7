#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/session.h"

namespace p402::cli {

// The settings of a key as the user writes them: what create and update have in common.
struct KeyFlags {
  std::string name = {};
  std::vector<std::string> scopes = {};
  std::string owner = {};
  std::string metadata = {};
  std::string expires_at = {};  // RFC 3339, or "never"
  std::string expires_in = {};  // a duration
  std::vector<std::string> allowed_cidrs = {};
};
// Adds --scope, --owner, --metadata, --expires-at, --expires-in and --allowed-cidr.
void AddKeyFlags(CLI::App& command, KeyFlags& flags);

// Appends the members that `command` was given, e.g. `"scopes":["a"]`, to a JSON object's text.
// Errors: kInvalidArgument for metadata that is not an object, a bad time or duration.
Status AppendKeyMembers(const CLI::App& command, const KeyFlags& flags, WallTime now,
                        boost::json::object& body);

// True if the option `name` of `command` was given, also with an empty value.
bool IsGiven(const CLI::App& command, const std::string& name);

// Checks an id before it becomes a part of a path: a key id, or "self".
// Errors: kInvalidArgument.
Status CheckKeyId(std::string_view id);
// The key id that `id` means: of "self", that of the key in use, which the server is asked for.
Or<std::string> ResolveKeyId(Session& session, const std::string& id);

// A table of keys, as `keys list` shows it.
std::string RenderKeys(const std::vector<const boost::json::object*>& keys, const Look& look);
// Every field of one key, as `keys get` shows it; never the raw key.
std::string RenderKey(const boost::json::object& key, const Look& look);

// Prints the raw key of a create or rotate answer, the only time it is shown: alone on standard
// output, with everything that is said about it on standard error. Returns the exit code.
int PrintNewKey(const Session& session, const Document& answer);
// The same for a key object inside another answer.
// Requires: !session.is_json().
int PrintRawKey(const Session& session, const boost::json::object& key);

// Says on standard error which nodes have not obeyed yet, if any.
void NoteEnforcement(const Session& session, const boost::json::object& answer);

// The header that asks the server not to wait for other nodes.
std::vector<std::pair<std::string, std::string>> WaitHeaders(bool no_wait);

// For what is final: with --yes it goes on, else it asks on the terminal. The error is the exit code:
// kRefused if the answer was no, kUsage if there is no terminal to ask on.
Or<void> MayGoOn(const Process& process, bool is_yes, std::string_view question);

}  // namespace p402::cli
