#include "cli/key_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "key/ids.h"

namespace p402::cli {
namespace {

constexpr std::string_view kSelf = "self";

boost::json::array ToArray(const std::vector<std::string>& texts) {
  boost::json::array array;
  for (const auto& text : texts) {
    if (!text.empty()) array.emplace_back(text);  // --scopes "" empties the list
  }
  return array;
}

Result<boost::json::value> ParseMetadata(const std::string& text) {
  if (text.empty()) return boost::json::value(nullptr);
  boost::json::error_code error;
  auto value = boost::json::parse(text, error);
  if (error || !value.is_object()) {
    return InvalidArgument("metadata",
                           "--metadata must be a JSON object like {\"team\":\"infra\"}");
  }
  return value;
}

Result<boost::json::value> ParseExpiry(const KeyFlags& flags, WallTime now) {
  if (!flags.expires_in.empty()) {
    const auto span = ParseDuration(flags.expires_in);
    if (!span) {
      return InvalidArgument("expires_in", "--expires-in must be a duration like 90d or 24h");
    }
    return boost::json::value(FormatRfc3339(now + *span));
  }
  if (flags.expires_at == "never") return boost::json::value(nullptr);
  if (!ParseRfc3339(flags.expires_at)) {
    return InvalidArgument("expires_at",
                           "--expires-at must be a time like 2027-01-31T00:00:00Z, or never");
  }
  return boost::json::value(flags.expires_at);
}

Cell TextCell(const boost::json::object& key, std::string_view name, std::string_view if_empty) {
  std::string text = Clean(TextAt(key, name));
  return PlainCell(text.empty() ? std::string(if_empty) : std::move(text));
}

Cell StatusCell(const boost::json::object& key, const Look& look) {
  std::string status = Clean(TextAt(key, "status"));
  std::string shown = look.Status(status);
  return Cell{.text = std::move(status), .shown = std::move(shown)};
}

Cell TimeCell(const boost::json::object& key, std::string_view name, std::string_view if_absent,
              const Look& look) {
  return PlainCell(look.Time(TextAt(key, name), look.is_table ? if_absent : "-"));
}

Cell ListCell(const boost::json::object& key, std::string_view name, std::string_view if_empty) {
  const auto texts = TextsAt(key, name);
  if (texts.empty()) return PlainCell(std::string(if_empty));
  return PlainCell(Clean(fmt::format("{}", fmt::join(texts, " "))));
}

std::string CreatedBy(const boost::json::object& key) {
  const auto* actor = ObjectAt(key, "created_by");
  if (actor == nullptr) return "-";
  return Clean(TextAt(*actor, "kind")) + " " + Clean(TextAt(*actor, "id"));
}

}  // namespace

void AddKeyFlags(CLI::App& command, KeyFlags& flags) {
  const auto add_list = [&](const std::string& name, std::vector<std::string>& value,
                            const std::string& help) {
    command.add_option(name, value, help)->delimiter(',')->allow_extra_args(false);
  };
  add_list("--scope,--scopes", flags.scopes, "What the key may do: scopes, separated by commas");
  command.add_option("--owner", flags.owner, "The customer or agent it is for");
  command.add_option("--metadata", flags.metadata, "A JSON object of your own, at most 4 KiB")
      ->type_name("JSON");
  auto* at = command.add_option("--expires-at", flags.expires_at,
                                "When it expires: 2027-01-31T00:00:00Z, or never");
  at->type_name("TIME");
  command.add_option("--expires-in", flags.expires_in, "The same, from now: 24h, 90d, 2w")
      ->type_name("DURATION")
      ->excludes(at);
  add_list("--allowed-cidr,--allowed-cidrs", flags.allowed_cidrs,
           "Networks it may be used from, separated by commas: 10.0.0.0/8");
}

bool IsGiven(const CLI::App& command, const std::string& name) {
  return command.get_option(name)->count() > 0;
}

Status AppendKeyMembers(const CLI::App& command, const KeyFlags& flags, WallTime now,
                        boost::json::object& body) {
  if (IsGiven(command, "--scopes")) body["scopes"] = ToArray(flags.scopes);
  if (IsGiven(command, "--owner")) {
    body["owner"] =
        flags.owner.empty() ? boost::json::value(nullptr) : boost::json::value(flags.owner);
  }
  if (IsGiven(command, "--metadata")) {
    P402_TRY(body["metadata"], ParseMetadata(flags.metadata));
  }
  if (IsGiven(command, "--expires-at") || IsGiven(command, "--expires-in")) {
    P402_TRY(body["expires_at"], ParseExpiry(flags, now));
  }
  if (IsGiven(command, "--allowed-cidrs")) body["allowed_cidrs"] = ToArray(flags.allowed_cidrs);
  return {};
}

Status CheckKeyId(std::string_view id) {
  if (id == kSelf || key::KeyId::Parse(id)) return {};
  return InvalidArgument("id",
                         "a key id starts with key_ and has 30 characters: see p402 keys list");
}

Or<std::string> ResolveKeyId(Session& session, const std::string& id) {
  if (id != kSelf) return id;
  const auto answer = session.Ask({.path = "/api/v2/keys/self"});
  if (!answer) return std::unexpected(answer.error());
  std::string own_id(TextAt(answer->root(), "id"));
  if (key::KeyId::Parse(own_id)) return own_id;
  return std::unexpected(
      Complain(session.process(), "the server's answer has no key id in it", kRefused));
}

std::string RenderKeys(const std::vector<const boost::json::object*>& keys, const Look& look) {
  std::vector<std::vector<Cell>> rows;
  for (const auto* key : keys) {
    rows.push_back({TextCell(*key, "id", "-"), TextCell(*key, "name", "-"),
                    TextCell(*key, "prefix", "-"), StatusCell(*key, look),
                    TextCell(*key, "owner", "-"), TimeCell(*key, "created_at", "-", look),
                    TimeCell(*key, "last_used_at", "never", look)});
  }
  return RenderTable({"ID", "NAME", "PREFIX", "STATUS", "OWNER", "CREATED", "LAST USED"}, rows,
                     look);
}

std::string RenderKey(const boost::json::object& key, const Look& look) {
  std::vector<std::pair<std::string, Cell>> fields = {
      {"id", TextCell(key, "id", "-")},
      {"name", TextCell(key, "name", "-")},
      {"prefix", TextCell(key, "prefix", "-")},
      {"status", StatusCell(key, look)},
      {"mode", TextCell(key, "mode", "-")},
      {"scopes", ListCell(key, "scopes", "-")},
      {"owner", TextCell(key, "owner", "-")},
      {"metadata", PlainCell(Clean(JsonAt(key, "metadata")))},
      {"allowed_cidrs", ListCell(key, "allowed_cidrs", look.is_table ? "any" : "-")},
      {"created_at", TimeCell(key, "created_at", "-", look)},
      {"created_by", PlainCell(CreatedBy(key))},
      {"last_used_at", TimeCell(key, "last_used_at", "never", look)},
      {"expires_at", TimeCell(key, "expires_at", "never", look)},
  };
  if (!TextAt(key, "revoked_at").empty()) {
    fields.emplace_back("revoked_at", TimeCell(key, "revoked_at", "-", look));
    fields.emplace_back("revoke_reason", TextCell(key, "revoke_reason", "-"));
  }
  if (!TextAt(key, "rotated_from").empty()) {
    fields.emplace_back("rotated_from", TextCell(key, "rotated_from", "-"));
  }
  for (auto& [name, cell] : fields) {
    if (cell.text.empty()) cell.text = "-";
  }
  return RenderFields(fields, look);
}

int PrintNewKey(const Session& session, const Document& answer) {
  if (session.is_json()) {
    session.PrintJson(answer);
    return kDone;
  }
  return PrintRawKey(session, answer.root());
}

int PrintRawKey(const Session& session, const boost::json::object& root) {
  const auto raw_key = TextAt(root, "key");
  const std::string id = Clean(TextAt(root, "id"));
  if (raw_key.empty()) {
    return Complain(session.process(), "the server's answer has no raw key in it", kRefused);
  }
  session.Note(fmt::format("Key {} ({}). This is the only time it is shown:", id,
                           Clean(TextAt(root, "name"))));
  Console& console = session.process().console;
  console.Out(raw_key);
  // A pipe gets the key alone: several secret stores keep a newline as a part of the secret.
  if (console.out_is_terminal()) console.Out("\n");
  NoteEnforcement(session, root);
  if (!console.out_is_good()) {
    return Complain(
        session.process(),
        fmt::format("the raw key could not be written and is lost: p402 keys rotate {}", id),
        kRefused);
  }
  return kDone;
}

void NoteEnforcement(const Session& session, const boost::json::object& answer) {
  if (ObjectAt(answer, "nodes") == nullptr && TextsAt(answer, "pending_nodes").empty()) return;
  if (BoolAt(answer, "enforced")) return;
  const auto nodes = TextsAt(answer, "pending_nodes");
  session.Note(
      Clean(fmt::format("Saved, but not yet obeyed by: {}",
                        nodes.empty() ? "unknown" : fmt::format("{}", fmt::join(nodes, ", ")))));
}

std::vector<std::pair<std::string, std::string>> WaitHeaders(bool no_wait) {
  if (!no_wait) return {};
  return {{"Prefer", "respond-async"}};
}

Or<void> MayGoOn(const Process& process, bool is_yes, std::string_view question) {
  if (is_yes) return {};
  if (!process.console.in_is_terminal()) {
    return std::unexpected(Complain(
        process, "this is final, and there is no terminal to ask on: --yes does it unasked",
        kUsage));
  }
  if (process.console.Confirm(fmt::format("{} [y/N] ", question))) return {};
  process.console.Err("Nothing was done.\n");
  return std::unexpected(kRefused);
}

}  // namespace p402::cli
