#include <CLI/CLI.hpp>

#include "cli/key_view.h"

namespace p402::cli {
namespace {

struct Options {
  Common common = {};
  std::string id = {};
};

int Run(const Process& process, const Options& options) {
  const auto status = CheckKeyId(options.id);
  if (!status) return Complain(process, status.error().public_message, kUsage);
  auto session = Session::Open(process, options.common);
  if (!session) return session.error();
  const auto answer = session->Ask({.path = "/api/v2/keys/" + options.id});
  if (!answer) return answer.error();
  if (session->is_json()) {
    session->PrintJson(*answer);
  } else {
    process.console.Out(RenderKey(answer->root(), session->look()));
  }
  return kDone;
}

}  // namespace

void RegisterKeysGet(CLI::App& keys, Context& context) {
  auto& command = AddCommand(keys, "get", "Show one key", "p402 keys get self");
  auto options = std::make_shared<Options>();
  command.add_option("ID", options->id, "The key id, or self: the key you use")
      ->required()
      ->type_name("");
  AddCommon(command, options->common);
  command.callback([&context, options] {
    context.chosen = [&context, options] { return Run(context.process, *options); };
  });
}

}  // namespace p402::cli
