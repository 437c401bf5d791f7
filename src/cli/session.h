#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/display.h"
#include "cli/json.h"
#include "cli/settings.h"

namespace p402::cli {

// A failure that was already told to the user: the exit code.
template <class T>
using Or = std::expected<T, int>;

struct Call {
  std::string method = "GET";
  std::string path;  // with the query, encoded
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  Millis timeout = std::chrono::seconds(120);  // a revocation may wait for other nodes
  std::function<bool(std::string_view part)> sink = {};
};

// One command's conversation with the server. It prints every failure itself.
class Session {
 public:
  static Or<Session> Open(const Process& process, const Common& common);

  // The answer, if its status is 2xx. With `sink` the body is not kept. Wipes `call.body`.
  Or<net::ClientResponse> Send(Call call);
  // The same, as the JSON object that every answer but a backup is.
  Or<Document> Ask(Call call);

  const Look& look() const { return look_; }
  bool is_json() const { return is_json_; }
  const Process& process() const { return process_; }
  // Prints the JSON of `document` and a newline.
  void PrintJson(const Document& document) const;
  void Note(std::string_view text) const;  // to standard error

 private:
  Session(const Process& process, const Common& common, Settings settings,
          std::unique_ptr<net::HttpClient> client);
  const Process& process_;
  bool is_json_;
  Settings settings_;
  std::unique_ptr<net::HttpClient> client_;
  Look look_;
};

// How the output of this process looks.
Look LookOf(const Process& process);

// "what happened (code, request req_…)" from a problem document, cleaned; without one, from the
// status alone.
std::string DescribeProblem(const net::ClientResponse& response);

// "name=value&…", percent-encoded, in order; empty values are left out.
class Query {
 public:
  void Add(std::string_view name, std::string_view value);
  // `path` and the query.
  std::string AppendTo(std::string_view path) const;

 private:
  std::string text_;
};

}  // namespace p402::cli
