#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "cli/key_view.h"

namespace p402::cli {
namespace {

struct Options {
  Common common = {};
  std::string id = {};
  std::string reason = {};
  bool cascade = false;
  bool no_wait = false;
  bool yes = false;
};

void Print(const Session& session, const boost::json::object& answer) {
  const std::string id = Clean(TextAt(answer, "id"));
  const auto cascaded = TextsAt(answer, "cascaded");
  if (!session.look().is_table) {
    std::string lines = fmt::format("{}\trevoked\n", id);
    for (const auto& other : cascaded) lines += fmt::format("{}\trevoked\n", Clean(other));
    session.process().console.Out(lines);
  } else {
    const bool is_enforced = BoolAt(answer, "enforced");
    std::string line = fmt::format("Revoked {}{}", id, is_enforced ? ": no node accepts it" : "");
    if (const auto took = IntAt(answer, "took_ms"); took && is_enforced) {
      line += fmt::format(" ({} ms)", *took);
    }
    if (!cascaded.empty()) line += fmt::format("\nand {} that came from it", cascaded.size());
    session.process().console.Out(line + "\n");
  }
  NoteEnforcement(session, answer);
}

int Run(const Process& process, const Options& options) {
  const auto status = CheckKeyId(options.id);
  if (!status) return Complain(process, status.error().public_message, kUsage);
  auto session = Session::Open(process, options.common);
  if (!session) return session.error();
  const auto id = ResolveKeyId(*session, options.id);
  if (!id) return id.error();
  const auto question = fmt::format("Revoke {}{}{}? This is final.", *id,
                                    *id == options.id ? "" : ", the key that you use",
                                    options.cascade ? " and every key that came from it" : "");
  if (const auto go = MayGoOn(process, options.yes, question); !go) return go.error();
  Call call{.method = "DELETE",
            .path = "/api/v2/keys/" + *id + (options.cascade ? "?cascade=true" : ""),
            .headers = WaitHeaders(options.no_wait)};
  if (!options.reason.empty()) {
    call.body = boost::json::serialize(boost::json::object{{"reason", options.reason}});
  }
  const auto answer = session->Ask(std::move(call));
  if (!answer) return answer.error();
  if (session->is_json()) {
    session->PrintJson(*answer);
  } else {
    Print(*session, answer->root());
  }
  return kDone;
}

}  // namespace

void RegisterKeysRevoke(CLI::App& keys, Context& context) {
  auto& command =
      AddCommand(keys, "revoke", "Revoke a key for ever; done when no node accepts it any more",
                 "p402 keys revoke key_01jx0000000000000000000000 --reason leaked --yes");
  auto options = std::make_shared<Options>();
  command.add_option("ID", options->id, "The key id, or self: the key you use")
      ->required()
      ->type_name("");
  command.add_option("--reason", options->reason, "Why, for the audit trail, at most 255 bytes");
  command.add_flag("--cascade", options->cascade,
                   "Revoke what it created, and what that created or was rotated to, too");
  command.add_flag("--no-wait", options->no_wait, "Do not wait until every node has obeyed");
  command.add_flag("--yes,-y", options->yes, "Do not ask; needed where there is no terminal");
  AddCommon(command, options->common);
  command.callback([&context, options] {
    context.chosen = [&context, options] { return Run(context.process, *options); };
  });
}

}  // namespace p402::cli
