#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "cli/key_view.h"

namespace p402::cli {
namespace {

struct Options {
  Common common = {};
  std::string id = {};
  std::string grace = {};
  bool no_wait = false;
};

int Run(const Process& process, const Options& options) {
  const auto status = CheckKeyId(options.id);
  if (!status) return Complain(process, status.error().public_message, kUsage);
  if (!ParseDuration(options.grace)) {
    return Complain(process, "--grace must be a duration like 24h, or 0", kUsage);
  }
  auto session = Session::Open(process, options.common);
  if (!session) return session.error();
  const auto id = ResolveKeyId(*session, options.id);
  if (!id) return id.error();
  const boost::json::object body{{"grace", options.grace}};
  const auto answer = session->Ask({.method = "POST",
                                    .path = "/api/v2/keys/" + *id + "/rotate",
                                    .body = boost::json::serialize(body),
                                    .headers = WaitHeaders(options.no_wait)});
  return answer ? PrintNewKey(*session, *answer) : answer.error();
}

}  // namespace

void RegisterKeysRotate(CLI::App& keys, Context& context) {
  auto& command =
      AddCommand(keys, "rotate", "Make a successor of a key and print its raw key, once",
                 "p402 keys rotate key_01jx0000000000000000000000 --grace 24h");
  auto options = std::make_shared<Options>();
  command.add_option("ID", options->id, "The key id, or self: the key you use")
      ->required()
      ->type_name("");
  options->grace = "24h";
  command
      .add_option("--grace", options->grace,
                  "How long the old key still works, default 24h; 0 ends it at once")
      ->type_name("DURATION");
  command.add_flag("--no-wait", options->no_wait, "Do not wait until every node has obeyed");
  AddCommon(command, options->common);
  command.callback([&context, options] {
    context.chosen = [&context, options] { return Run(context.process, *options); };
  });
}

}  // namespace p402::cli
