#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "cli/session.h"

namespace p402::cli {
namespace {

struct Options {
  Common common = {};
  std::string subject = {};
  std::string action = {};
  std::string cursor = {};
  std::string limit = {};
};

std::vector<Cell> RowOf(const boost::json::object& record, const Look& look) {
  const auto text = [&](std::string_view name) {
    std::string value = Clean(TextAt(record, name));
    return PlainCell(value.empty() ? "-" : std::move(value));
  };
  const auto* actor = ObjectAt(record, "actor");
  const std::string who = actor == nullptr ? "-" : Clean(TextAt(*actor, "id"));
  // Only the first account is told the numbers (A12).
  const auto number = IntAt(record, "number");
  return {PlainCell(number ? std::to_string(*number) : "-"),
          PlainCell(look.Time(TextAt(record, "at"), "-")),
          PlainCell(who),
          text("action"),
          text("subject"),
          text("ip")};
}

int Run(const Process& process, const Options& options) {
  auto session = Session::Open(process, options.common);
  if (!session) return session.error();
  Query query;
  query.Add("subject", options.subject);
  query.Add("action", options.action);
  query.Add("limit", options.limit);
  query.Add("cursor", options.cursor);
  const auto answer = session->Ask({.path = query.AppendTo("/api/v2/audit")});
  if (!answer) return answer.error();
  if (session->is_json()) {
    session->PrintJson(*answer);
    return kDone;
  }
  std::vector<std::vector<Cell>> rows;
  for (const auto* record : ObjectsAt(answer->root(), "records")) {
    rows.push_back(RowOf(*record, session->look()));
  }
  process.console.Out(
      RenderTable({"NUMBER", "WHEN", "WHO", "ACTION", "SUBJECT", "FROM"}, rows, session->look()));
  const auto next = TextAt(answer->root(), "next_cursor");
  if (!next.empty()) session->Note(fmt::format("Older records: --cursor {}", Clean(next)));
  return kDone;
}

}  // namespace

void RegisterAuditList(CLI::App& audit, Context& context) {
  auto& command = AddCommand(audit, "list", "List what was done, newest first",
                             "p402 audit list --action key.revoke");
  auto options = std::make_shared<Options>();
  command.add_option("--subject", options->subject, "Only about this key or account")
      ->type_name("ID");
  command.add_option("--action", options->action,
                     "Only this action: key.create, key.revoke and others");
  command.add_option("--limit", options->limit, "Records on a page, 1 to 1000, default 100")
      ->check(NumberFrom(1, 1000))
      ->type_name("N");
  command.add_option("--cursor", options->cursor, "Where the next page starts");
  AddCommon(command, options->common);
  command.callback([&context, options] {
    context.chosen = [&context, options] { return Run(context.process, *options); };
  });
}

}  // namespace p402::cli
