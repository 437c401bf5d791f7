#include "cli/testing/fake_process.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "cli/cli.h"

namespace p402::cli::testing {

Result<Secret> FakeConsole::ReadSecret(std::string_view prompt) {
  if (is_in_terminal) err += prompt;
  if (!in) return InvalidArgument("stdin", "standard input is empty");
  return Secret::CopyOf(*in);
}

bool FakeConsole::Confirm(std::string_view question) {
  err += question;
  return confirms;
}

class FakeProcess::Http final : public net::HttpClient {
 public:
  explicit Http(FakeProcess& process) : process_(process) {}
  Result<net::ClientResponse> Send(const net::ClientRequest& request) override {
    Sent& last = process_.sent.emplace_back();
    last = {.method = request.method,
            .url = request.url,
            .headers = {request.headers.begin(), request.headers.end()},
            .bearer = request.bearer == nullptr ? "" : std::string(request.bearer->Reveal()),
            .body = request.body};
    if (process_.is_unplugged_ || process_.answers_.empty()) {
      return Failure(Error{.code = ErrorCode::kUnavailable,
                           .public_message = "cannot connect to 127.0.0.1:4020"});
    }
    net::ClientResponse response = std::move(process_.answers_.front());
    process_.answers_.pop_front();
    if (request.sink && response.status / 100 == 2) {
      if (!request.sink(response.body)) return Fail(ErrorCode::kIo, "the transfer was ended");
      response.body.clear();
    }
    return response;
  }

 private:
  FakeProcess& process_;
};

FakeProcess::FakeProcess() {
  environment = {{"P402_API_KEY", std::string(kRawKey)}, {"TERM", "xterm"}};
}

void FakeProcess::Answer(int status, std::string body, std::map<std::string, std::string> headers) {
  answers_.push_back({.status = status, .headers = std::move(headers), .body = std::move(body)});
}

void FakeProcess::AnswerProblem(int status, const std::string& code, const std::string& detail,
                                const std::string& more) {
  Answer(status,
         fmt::format(R"({{"type":"about:blank","title":"T","status":{},"detail":"{}","code":"{}",)"
                     R"("request_id":"req_7"{}}})",
                     status, detail, code, more));
}

int FakeProcess::Run(const std::string& words) {
  std::vector<std::string> list;
  std::istringstream stream(words);
  for (std::string word; stream >> word;) list.push_back(word);
  return Run(list);
}

int FakeProcess::Run(const std::vector<std::string>& words) {
  Commands commands(Process{
      .console = console,
      .clock = clock,
      .env = [this](const char* name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        if (found == environment.end()) return std::nullopt;
        return found->second;
      },
      .make_client = [this](std::string ca_file) -> Result<std::unique_ptr<net::HttpClient>> {
        ca_files.push_back(std::move(ca_file));
        return std::make_unique<Http>(*this);
      }});
  CLI::App root("test", "p402");
  root.require_subcommand(1);
  commands.Register(root);
  std::vector<const char*> argv = {"p402"};
  for (const auto& word : words) argv.push_back(word.c_str());
  auto parsed = CommandWords(argv);
  std::ranges::reverse(parsed);
  try {
    root.parse(std::move(parsed));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      console.err += DescribeUsageError(root, error);
      return kUsage;
    }
    std::ostringstream text;
    root.exit(error, text, text);
    help = text.str();
    return kDone;
  }
  return commands.Run().value_or(-1);
}

}  // namespace p402::cli::testing
