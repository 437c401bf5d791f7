#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/key_view.h"

namespace p402::cli {
namespace {

struct Options {
  Common common = {};
  std::vector<std::string> scopes = {};
  std::string ip = {};
};

// Written by hand into one reserved buffer: a JSON library would keep copies of the raw key.
std::string BodyOf(const Secret& raw_key, const Options& options) {
  std::string body;
  size_t bytes = 128 + 6 * (raw_key.size() + options.ip.size());
  for (const auto& scope : options.scopes) bytes += 6 * scope.size() + 3;
  body.reserve(bytes);
  body += "{\"key\":";
  AppendJsonString(body, raw_key.Reveal());
  if (!options.scopes.empty()) {
    body += ",\"scopes\":[";
    for (size_t i = 0; i < options.scopes.size(); ++i) {
      if (i > 0) body += ',';
      AppendJsonString(body, options.scopes[i]);
    }
    body += ']';
  }
  if (!options.ip.empty()) {
    body += ",\"ip\":";
    AppendJsonString(body, options.ip);
  }
  body += '}';
  return body;
}

void Print(const Session& session, const boost::json::object& answer) {
  const std::string code = Clean(TextAt(answer, "code"));
  const std::string id = Clean(TextAt(answer, "key_id"));
  const std::string name = Clean(TextAt(answer, "name"));
  const auto& look = session.look();
  if (look.is_table) {
    const std::string who = id.empty() ? "" : fmt::format("  {} ({})", id, name);
    session.process().console.Out(look.Bold(code) + who + "\n");
  } else {
    session.process().console.Out(
        fmt::format("{}\t{}\t{}\n", code, id.empty() ? "-" : id, name.empty() ? "-" : name));
  }
}

int Run(const Process& process, const Options& options) {
  auto session = Session::Open(process, options.common);
  if (!session) return session.error();
  const auto raw_key = process.console.ReadSecret("Key to verify (not shown): ");
  if (!raw_key) return Complain(process, raw_key.error().public_message, kUsage);
  if (raw_key->empty()) {
    return Complain(process, "the first line of standard input must be the key", kUsage);
  }
  const auto answer = session->Ask(
      {.method = "POST", .path = "/api/v2/keys/verify", .body = BodyOf(*raw_key, options)});
  if (!answer) return answer.error();
  if (session->is_json()) {
    session->PrintJson(*answer);
  } else {
    Print(*session, answer->root());
  }
  return BoolAt(answer->root(), "valid") ? kDone : kRefused;
}

}  // namespace

void RegisterKeysVerify(CLI::App& keys, Context& context) {
  auto& command =
      AddCommand(keys, "verify", "Ask whether a raw key, read from standard input, is valid",
                 "p402 keys verify --scope models:read < key.txt");
  auto options = std::make_shared<Options>();
  command
      .add_option("--scope,--scopes", options->scopes, "Scopes it must have, separated by commas")
      ->delimiter(',')
      ->allow_extra_args(false);
  command.add_option("--ip", options->ip, "The client address it is presented from");
  AddCommon(command, options->common);
  command.callback([&context, options] {
    context.chosen = [&context, options] { return Run(context.process, *options); };
  });
}

}  // namespace p402::cli
