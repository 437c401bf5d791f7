#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/testing/fakes.h"
#include "cli/command.h"
#include "cli/console.h"
#include "net/http_client.h"

namespace p402::cli::testing {

// A console that keeps what is written and reads what it was given.
class FakeConsole final : public Console {
 public:
  void Out(std::string_view text) override { out += text; }
  void Err(std::string_view text) override { err += text; }
  bool out_is_good() const override { return is_good; }
  Result<Secret> ReadSecret(std::string_view prompt) override;
  bool Confirm(std::string_view question) override;
  bool in_is_terminal() const override { return is_in_terminal; }
  bool out_is_terminal() const override { return is_out_terminal; }
  bool err_is_terminal() const override { return is_err_terminal; }

  std::string out;
  std::string err;
  std::optional<std::string> in = {};  // the line; nullopt: empty input
  bool confirms = false;
  bool is_good = true;
  bool is_in_terminal = false;
  bool is_out_terminal = false;
  bool is_err_terminal = false;
};

// What the command sent.
struct Sent {
  std::string method;
  std::string url;
  std::map<std::string, std::string> headers;
  std::string bearer;
  std::string body;
};

// One command of the real tree against answers that were queued before.
class FakeProcess {
 public:
  FakeProcess();

  // Queues an answer.
  void Answer(int status, std::string body, std::map<std::string, std::string> headers = {});
  void AnswerProblem(int status, const std::string& code, const std::string& detail,
                     const std::string& more = {});
  // From now on nothing can be reached.
  void Unplug() { is_unplugged_ = true; }

  // Parses and runs "keys list --json"; words are separated by single spaces.
  int Run(const std::string& words);
  int Run(const std::vector<std::string>& words);

  FakeConsole console;
  p402::testing::FakeClock clock;
  std::map<std::string, std::string> environment;
  std::vector<Sent> sent;
  std::vector<std::string> ca_files;
  std::string help;  // what the parser printed

 private:
  class Http;
  std::deque<net::ClientResponse> answers_;
  bool is_unplugged_ = false;
};

inline constexpr std::string_view kRawKey = "p402_live_0123456789abcdefghijABCDEFGHIJ0123456789";
inline constexpr std::string_view kKeyId = "key_01jx0000000000000000000000";

}  // namespace p402::cli::testing
