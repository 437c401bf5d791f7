#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "cli/key_view.h"

namespace p402::cli {
namespace {

struct Options {
  Common common = {};
  KeyFlags flags = {};
  std::string id = {};
  bool disable = false;
  bool enable = false;
  bool no_wait = false;
};

Result<std::string> BodyOf(const Process& process, const CLI::App& command,
                           const Options& options) {
  boost::json::object body;
  if (IsGiven(command, "--name")) body["name"] = options.flags.name;
  if (options.disable) body["disabled"] = true;
  if (options.enable) body["disabled"] = false;
  P402_TRY(AppendKeyMembers(command, options.flags, process.clock.Now(), body));
  if (body.empty()) return InvalidArgument("", "nothing to change: see p402 keys update --help");
  return boost::json::serialize(body);
}

int Run(const Process& process, const CLI::App& command, const Options& options) {
  const auto status = CheckKeyId(options.id);
  if (!status) return Complain(process, status.error().public_message, kUsage);
  auto body = BodyOf(process, command, options);
  if (!body) return Complain(process, body.error().public_message, kUsage);
  auto session = Session::Open(process, options.common);
  if (!session) return session.error();
  const auto id = ResolveKeyId(*session, options.id);
  if (!id) return id.error();
  const auto answer = session->Ask({.method = "PATCH",
                                    .path = "/api/v2/keys/" + *id,
                                    .body = std::move(*body),
                                    .headers = WaitHeaders(options.no_wait)});
  if (!answer) return answer.error();
  if (session->is_json()) {
    session->PrintJson(*answer);
    return kDone;
  }
  process.console.Out(RenderKey(answer->root(), session->look()));
  NoteEnforcement(*session, answer->root());
  return kDone;
}

}  // namespace

void RegisterKeysUpdate(CLI::App& keys, Context& context) {
  auto& command =
      AddCommand(keys, "update", "Change the settings of a key; what is not named stays",
                 "p402 keys update key_01jx0000000000000000000000 --disable");
  auto options = std::make_shared<Options>();
  command.add_option("ID", options->id, "The key id, or self: the key you use")
      ->required()
      ->type_name("");
  command.add_option("--name", options->flags.name, "What to call it, 1 to 100 characters");
  AddKeyFlags(command, options->flags);
  auto* disable = command.add_flag("--disable", options->disable, "Refuse it until --enable");
  command.add_flag("--enable", options->enable, "Accept it again")->excludes(disable);
  command.add_flag("--no-wait", options->no_wait, "Do not wait until every node has obeyed");
  AddCommon(command, options->common);
  command.callback([&context, &command, options] {
    context.chosen = [&context, &command, options] {
      return Run(context.process, command, *options);
    };
  });
}

}  // namespace p402::cli
