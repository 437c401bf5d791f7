#include <CLI/CLI.hpp>

#include "cli/session.h"

namespace p402::cli {
namespace {

int Run(const Process& process, const Common& common) {
  auto session = Session::Open(process, common);
  if (!session) return session.error();
  const auto answer = session->Ask({.path = "/api/v2/accounts"});
  if (!answer) return answer.error();
  if (session->is_json()) {
    session->PrintJson(*answer);
    return kDone;
  }
  std::vector<std::vector<Cell>> rows;
  for (const auto* account : ObjectsAt(answer->root(), "accounts")) {
    rows.push_back({PlainCell(Clean(TextAt(*account, "id"))),
                    PlainCell(Clean(TextAt(*account, "name"))),
                    PlainCell(session->look().Time(TextAt(*account, "created_at"), "-"))});
  }
  process.console.Out(RenderTable({"ID", "NAME", "CREATED"}, rows, session->look()));
  return kDone;
}

}  // namespace

void RegisterAccountsList(CLI::App& accounts, Context& context) {
  auto& command = AddCommand(accounts, "list", "List the accounts", "p402 accounts list --json");
  auto common = std::make_shared<Common>();
  AddCommon(command, *common);
  command.callback([&context, common] {
    context.chosen = [&context, common] { return Run(context.process, *common); };
  });
}

}  // namespace p402::cli
