#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "cli/key_view.h"

namespace p402::cli {
namespace {

struct Options {
  Common common = {};
  std::string name = {};
};

int Run(const Process& process, const Options& options) {
  auto session = Session::Open(process, options.common);
  if (!session) return session.error();
  const boost::json::object body{{"name", options.name}};
  const auto answer = session->Ask(
      {.method = "POST", .path = "/api/v2/accounts", .body = boost::json::serialize(body)});
  if (!answer) return answer.error();
  if (session->is_json()) {
    session->PrintJson(*answer);
    return kDone;
  }
  const auto& root = answer->root();
  const auto* key = ObjectAt(root, "key");
  if (key == nullptr) {
    return Complain(process, "the server's answer has no key in it", kRefused);
  }
  session->Note(fmt::format("Account {} ({}). Its first key has every scope of it.",
                            Clean(TextAt(root, "id")), Clean(TextAt(root, "name"))));
  return PrintRawKey(*session, *key);
}

}  // namespace

void RegisterAccountsCreate(CLI::App& accounts, Context& context) {
  auto& command = AddCommand(accounts, "create",
                             "Create an account and print the raw key of its first key, once",
                             "p402 accounts create \"Example Ltd\"");
  auto options = std::make_shared<Options>();
  command.add_option("NAME", options->name, "What to call it, 1 to 100 characters")
      ->required()
      ->type_name("");
  AddCommon(command, options->common);
  command.callback([&context, options] {
    context.chosen = [&context, options] { return Run(context.process, *options); };
  });
}

}  // namespace p402::cli
