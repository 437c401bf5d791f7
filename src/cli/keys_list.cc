#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "cli/key_view.h"

namespace p402::cli {
namespace {

struct Options {
  Common common = {};
  std::string status = {};
  std::string mode = {};
  std::string owner = {};
  std::string prefix = {};
  std::string name = {};
  std::string unused_for = {};
  std::string expires_before = {};
  std::string cursor = {};
  std::string limit = {};
  bool all = false;
};

std::string PathOf(const Options& options, std::string_view cursor) {
  Query query;
  query.Add("status", options.status);
  query.Add("mode", options.mode);
  query.Add("owner", options.owner);
  query.Add("prefix", options.prefix);
  query.Add("name", options.name);
  query.Add("unused_for", options.unused_for);
  query.Add("expires_before", options.expires_before);
  query.Add("limit", options.limit.empty() && options.all ? "1000" : options.limit);
  query.Add("cursor", cursor);
  return query.AppendTo("/api/v2/keys");
}

// Prints the pages of --all as one list.
void PrintMergedJson(const Session& session, const std::vector<Document>& pages) {
  boost::json::array keys;
  for (const auto& page : pages) {
    for (const auto* key : ObjectsAt(page.root(), "keys")) keys.emplace_back(*key);
  }
  boost::json::object merged{{"keys", std::move(keys)}, {"next_cursor", nullptr}};
  const auto through = TextAt(pages.back().root(), "usage_complete_through");
  if (!through.empty()) {
    merged["usage_complete_through"] = boost::json::string_view(through.data(), through.size());
  }
  session.process().console.Out(CleanJson(boost::json::serialize(merged)) + "\n");
}

void PrintPages(const Session& session, const std::vector<Document>& pages) {
  if (session.is_json()) {
    if (pages.size() == 1) return session.PrintJson(pages[0]);
    return PrintMergedJson(session, pages);
  }
  std::vector<const boost::json::object*> keys;
  for (const auto& page : pages) {
    const auto some = ObjectsAt(page.root(), "keys");
    keys.insert(keys.end(), some.begin(), some.end());
  }
  if (keys.empty() && session.look().is_table) return session.Note("No keys.");
  session.process().console.Out(RenderKeys(keys, session.look()));
  const auto next = TextAt(pages.back().root(), "next_cursor");
  if (!next.empty()) {
    session.Note(
        fmt::format("More keys exist: --all shows them, --cursor {} the next page.", Clean(next)));
  }
}

int Run(const Process& process, const Options& options) {
  auto session = Session::Open(process, options.common);
  if (!session) return session.error();
  std::vector<Document> pages;
  std::string cursor = options.cursor;
  do {
    auto page = session->Ask({.path = PathOf(options, cursor)});
    if (!page) return page.error();
    std::string next(TextAt(page->root(), "next_cursor"));
    pages.push_back(std::move(*page));
    if (next == cursor) break;  // a server that never ends
    cursor = std::move(next);
  } while (options.all && !cursor.empty());
  PrintPages(*session, pages);
  return kDone;
}

}  // namespace

void RegisterKeysList(CLI::App& keys, Context& context) {
  auto& command = AddCommand(keys, "list", "List keys, newest first",
                             "p402 keys list --status active --unused-for 90d");
  auto options = std::make_shared<Options>();
  command.add_option("--status", options->status, "active, disabled, expired or revoked")
      ->check(OneOf({"active", "disabled", "expired", "revoked"}))
      ->type_name("STATUS");
  command.add_option("--mode", options->mode, "live or test")
      ->check(OneOf({"live", "test"}))
      ->type_name("MODE");
  command.add_option("--owner", options->owner, "Exactly this owner");
  command.add_option("--prefix", options->prefix, "Keys that start like this");
  command.add_option("--name", options->name, "Keys with this in their name");
  command.add_option("--unused-for", options->unused_for, "Not used for this long: 90d")
      ->type_name("DURATION");
  command
      .add_option("--expires-before", options->expires_before,
                  "Expiring before this time: 2027-01-31T00:00:00Z")
      ->type_name("TIME");
  command.add_option("--limit", options->limit, "Keys on a page, 1 to 1000, default 100")
      ->check(NumberFrom(1, 1000))
      ->type_name("N");
  command.add_option("--cursor", options->cursor, "Where the next page starts");
  command.add_flag("--all", options->all, "Every page");
  AddCommon(command, options->common);
  command.callback([&context, options] {
    context.chosen = [&context, options] { return Run(context.process, *options); };
  });
}

}  // namespace p402::cli
