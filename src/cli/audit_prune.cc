#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "cli/key_view.h"

namespace p402::cli {
namespace {

struct Options {
  Common common = {};
  std::string older_than = {};
  bool yes = false;
};

int Run(const Process& process, const Options& options) {
  if (!ParseDuration(options.older_than)) {
    return Complain(process, "--older-than must be a duration like 90d", kUsage);
  }
  auto session = Session::Open(process, options.common);
  if (!session) return session.error();
  const auto question =
      fmt::format("Delete every audit record older than {}? This is final.", options.older_than);
  if (const auto go = MayGoOn(process, options.yes, question); !go) return go.error();
  const boost::json::object body{{"older_than", options.older_than}};
  const auto answer = session->Ask({.method = "POST",
                                    .path = "/api/v2/audit/prune",
                                    .body = boost::json::serialize(body),
                                    .timeout = std::chrono::minutes(30)});
  if (!answer) return answer.error();
  if (session->is_json()) {
    session->PrintJson(*answer);
    return kDone;
  }
  const auto deleted = IntAt(answer->root(), "deleted").value_or(0);
  process.console.Out(session->look().is_table
                          ? fmt::format("Deleted {} records; a checkpoint stays.\n", deleted)
                          : fmt::format("{}\n", deleted));
  return kDone;
}

}  // namespace

void RegisterAuditPrune(CLI::App& audit, Context& context) {
  auto& command = AddCommand(audit, "prune", "Delete old audit records; a checkpoint stays",
                             "p402 audit prune --older-than 400d --yes");
  auto options = std::make_shared<Options>();
  command.add_option("--older-than", options->older_than, "How old, at least 24h: 90d, 52w")
      ->required()
      ->type_name("DURATION");
  command.add_flag("--yes,-y", options->yes, "Do not ask; needed where there is no terminal");
  AddCommon(command, options->common);
  command.callback([&context, options] {
    context.chosen = [&context, options] { return Run(context.process, *options); };
  });
}

}  // namespace p402::cli
