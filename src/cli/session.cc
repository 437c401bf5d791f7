#include "cli/session.h"

#include <fmt/format.h>

#include "base/text.h"

namespace p402::cli {
namespace {

int ExitCode(const Error& error) {
  return error.code == ErrorCode::kUnavailable ? kUnreachable : kRefused;
}

const std::string& Message(const Error& error) {
  return error.public_message.empty() ? error.detail : error.public_message;
}

bool IsLocalPlaintext(std::string_view server) {
  return server.starts_with("https://") || server.starts_with("http://127.") ||
         server.starts_with("http://localhost") || server.starts_with("http://[::1]");
}

std::string Reference(std::string_view code, const net::ClientResponse& response,
                      std::string_view request_id) {
  std::string text = code.empty() ? fmt::format("HTTP {}", response.status) : std::string(code);
  if (!request_id.empty()) text += fmt::format(", request {}", request_id);
  return text;
}

std::string Header(const net::ClientResponse& response, const std::string& name) {
  const auto found = response.headers.find(name);
  return found == response.headers.end() ? std::string() : found->second;
}

}  // namespace

Look LookOf(const Process& process) {
  const bool is_terminal = process.console.out_is_terminal();
  const auto no_colour = process.env("NO_COLOR");
  const auto terminal = process.env("TERM");
  const bool is_plain = (no_colour && !no_colour->empty()) || (terminal && *terminal == "dumb");
  return Look{
      .is_table = is_terminal, .has_colour = is_terminal && !is_plain, .now = process.clock.Now()};
}

std::string DescribeProblem(const net::ClientResponse& response) {
  const auto document = Document::Parse(std::string(response.body));
  if (!document) {
    const std::string request_id = Clean(Header(response, "x-request-id"));
    return fmt::format("the server answered without an explanation ({})",
                       Reference({}, response, request_id));
  }
  const auto& root = document->root();
  std::string what = Clean(TextAt(root, "detail"));
  if (what.empty()) what = Clean(TextAt(root, "title"));
  if (what.empty()) what = fmt::format("the server answered HTTP {}", response.status);
  if (const auto scope = TextAt(root, "needed_scope"); !scope.empty()) {
    what += fmt::format(" (needs the scope {})", Clean(scope));
  }
  const std::string key_id = Clean(TextAt(root, "key_id"));  // A10: of the key that was created
  if (!key_id.empty()) what += ": " + key_id;
  std::string request_id = Clean(TextAt(root, "request_id"));
  if (request_id.empty()) request_id = Clean(Header(response, "x-request-id"));
  what += fmt::format(" ({})", Reference(Clean(TextAt(root, "code")), response, request_id));
  if (const auto wait = Header(response, "retry-after"); !wait.empty()) {
    what += fmt::format("; try again in {} s", Clean(wait));
  }
  if (!key_id.empty()) {
    what += fmt::format("; if its raw key is lost: p402 keys rotate {}", key_id);
  }
  return what;
}

Session::Session(const Process& process, const Common& common, Settings settings,
                 std::unique_ptr<net::HttpClient> client)
    : process_(process),
      is_json_(common.is_json),
      settings_(std::move(settings)),
      client_(std::move(client)),
      look_(LookOf(process)) {}

Or<Session> Session::Open(const Process& process, const Common& common) {
  auto settings = LoadSettings(process, common);
  if (!settings) return std::unexpected(Complain(process, Message(settings.error()), kUsage));
  auto client = process.make_client(settings->ca_file);
  if (!client) return std::unexpected(Complain(process, Message(client.error()), kRefused));
  if (!IsLocalPlaintext(settings->server) && process.console.err_is_terminal()) {
    process.console.Err("p402: warning: http:// sends your key unencrypted\n");
  }
  return Session(process, common, std::move(*settings), std::move(*client));
}

Or<net::ClientResponse> Session::Send(Call call) {
  net::ClientRequest request{.method = std::move(call.method),
                             .url = settings_.server + call.path,
                             .headers = std::move(call.headers),
                             .bearer = &settings_.key,
                             .body = std::move(call.body),
                             .timeout = call.timeout,
                             .sink = std::move(call.sink)};
  request.headers.emplace_back("User-Agent", "p402-cli");
  if (!request.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  auto response = client_->Send(request);
  WipeString(request.body);
  if (!response) {
    const Error& error = response.error();
    return std::unexpected(Complain(process_, Clean(Message(error)), ExitCode(error)));
  }
  if (response->status < 200 || response->status > 299) {
    std::string message = DescribeProblem(*response);
    if (response->status == 401) {
      message += fmt::format("; the key is from {}: put a valid one there", settings_.key_source);
    }
    return std::unexpected(Complain(process_, message, kRefused));
  }
  return std::move(*response);
}

Or<Document> Session::Ask(Call call) {
  auto response = Send(std::move(call));
  if (!response) return std::unexpected(response.error());
  auto document = Document::Parse(std::move(response->body));
  if (!document) {
    const auto message = fmt::format("{} answered, but not like a P402 server", settings_.server);
    return std::unexpected(Complain(process_, message, kUnreachable));
  }
  return std::move(*document);
}

void Session::PrintJson(const Document& document) const {
  std::string text = CleanJson(document.text());
  while (text.ends_with('\n')) text.pop_back();
  process_.console.Out(text);
  process_.console.Out("\n");
  WipeString(text);
}

void Session::Note(std::string_view text) const {
  process_.console.Err(text);
  process_.console.Err("\n");
}

void Query::Add(std::string_view name, std::string_view value) {
  if (value.empty()) return;
  text_ += text_.empty() ? '?' : '&';
  text_ += name;
  text_ += '=';
  text_ += PercentEncode(value);
}

std::string Query::AppendTo(std::string_view path) const {
  return std::string(path) + text_;
}

}  // namespace p402::cli
