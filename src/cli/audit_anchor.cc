#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/session.h"

namespace p402::cli {
namespace {

int Run(const Process& process, const Common& common) {
  auto session = Session::Open(process, common);
  if (!session) return session.error();
  const auto answer = session->Ask({.method = "POST", .path = "/api/v2/audit/anchor"});
  if (!answer) return answer.error();
  if (session->is_json()) {
    session->PrintJson(*answer);
    return kDone;
  }
  const auto& root = answer->root();
  process.console.Out(
      fmt::format("{} {}\n", IntAt(root, "number").value_or(0), Clean(TextAt(root, "hash"))));
  return kDone;
}

}  // namespace

void RegisterAuditAnchor(CLI::App& audit, Context& context) {
  auto& command =
      AddCommand(audit, "anchor", "Print the head of the audit trail, to keep it elsewhere",
                 "p402 audit anchor >> anchors.txt");
  auto common = std::make_shared<Common>();
  AddCommon(command, *common);
  command.callback([&context, common] {
    context.chosen = [&context, common] { return Run(context.process, *common); };
  });
}

}  // namespace p402::cli
