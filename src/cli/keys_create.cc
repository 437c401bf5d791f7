#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "cli/key_view.h"

namespace p402::cli {
namespace {

struct Options {
  Common common = {};
  KeyFlags flags = {};
  std::string mode = {};
  std::string idempotency_key = {};
};

int Run(const Process& process, const CLI::App& command, const Options& options) {
  boost::json::object body{{"name", options.flags.name}};
  if (!options.mode.empty()) body["mode"] = options.mode;
  const auto status = AppendKeyMembers(command, options.flags, process.clock.Now(), body);
  if (!status) return Complain(process, status.error().public_message, kUsage);
  auto session = Session::Open(process, options.common);
  if (!session) return session.error();
  Call call{.method = "POST", .path = "/api/v2/keys", .body = boost::json::serialize(body)};
  if (!options.idempotency_key.empty()) {
    call.headers.emplace_back("Idempotency-Key", options.idempotency_key);
  }
  const auto answer = session->Ask(std::move(call));
  return answer ? PrintNewKey(*session, *answer) : answer.error();
}

}  // namespace

void RegisterKeysCreate(CLI::App& keys, Context& context) {
  auto& command = AddCommand(keys, "create", "Create a key and print its raw key, once",
                             "p402 keys create production-agent --scope models:read "
                             "--expires-in 90d");
  auto options = std::make_shared<Options>();
  command.add_option("NAME", options->flags.name, "What to call it, 1 to 100 characters")
      ->required()
      ->type_name("");
  command.add_option("--mode", options->mode, "live or test, default the mode of your own key")
      ->check(OneOf({"live", "test"}))
      ->type_name("MODE");
  AddKeyFlags(command, options->flags);
  command.add_option("--idempotency-key", options->idempotency_key,
                     "A text that makes a retry safe: the same one creates nothing again");
  // What an empty variable of a script leaves out here would make a wider key. (`keys update` clears
  // a setting this way.)
  const CLI::Validator not_empty(
      [](const std::string& value) {
        return value.empty() ? "is empty: give a value, or leave it out" : "";
      },
      "");
  for (const char* name : {"--owner", "--allowed-cidr", "--metadata", "--expires-in",
                           "--expires-at", "--idempotency-key"}) {
    command.get_option(name)->check(not_empty);
  }
  AddCommon(command, options->common);
  command.callback([&context, &command, options] {
    context.chosen = [&context, &command, options] {
      return Run(context.process, command, *options);
    };
  });
}

}  // namespace p402::cli
