#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/session.h"

namespace p402::cli {
namespace {

struct Options {
  Common common = {};
  std::string anchor = {};
};

void Print(const Session& session, const boost::json::object& answer) {
  std::string lines;
  const auto checked = IntAt(answer, "checked").value_or(0);
  if (BoolAt(answer, "intact")) {
    lines = fmt::format("intact: {} records\n", checked);
  } else {
    lines = fmt::format("BROKEN: {}\n", Clean(TextAt(answer, "problem")));
  }
  if (const auto* head = ObjectAt(answer, "head"); head != nullptr) {
    lines += fmt::format("head: {} {}\n", IntAt(*head, "number").value_or(0),
                         Clean(TextAt(*head, "hash")));
  }
  session.process().console.Out(lines);
}

int Run(const Process& process, const Options& options) {
  auto session = Session::Open(process, options.common);
  if (!session) return session.error();
  Query query;
  query.Add("anchor", options.anchor);
  const auto answer = session->Ask(
      {.path = query.AppendTo("/api/v2/audit/verify"), .timeout = std::chrono::minutes(30)});
  if (!answer) return answer.error();
  const auto& root = answer->root();
  if (session->is_json()) {
    session->PrintJson(*answer);
  } else {
    Print(*session, root);
  }
  const bool is_missing = !options.anchor.empty() && !BoolAt(root, "anchor_found");
  if (is_missing && !session->is_json()) session->Note("The anchor is not in the chain.");
  return BoolAt(root, "intact") && !is_missing ? kDone : kRefused;
}

}  // namespace

void RegisterAuditVerify(CLI::App& audit, Context& context) {
  auto& command = AddCommand(audit, "verify", "Check that the audit trail was not changed",
                             "p402 audit verify --anchor HASH");
  auto options = std::make_shared<Options>();
  command
      .add_option("--anchor", options->anchor,
                  "A hash that p402 audit anchor printed: it must be in the chain")
      ->type_name("HASH");
  AddCommon(command, options->common);
  command.callback([&context, options] {
    context.chosen = [&context, options] { return Run(context.process, *options); };
  });
}

}  // namespace p402::cli
