#include "app/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <thread>

#include "key/raw_key.h"

namespace p402::app {
namespace {

constexpr int kMaxThreads = 1024;

constexpr std::array<Setting, 16> kSettings = {{
    {"data", "DIR", "Folder of the store, made with mode 0700 if it is missing (required)"},
    {"listen", "ADDR",
     "Where to serve: IP:PORT or unix:/path; port 0 takes any free one (default 127.0.0.1:4020)",
     true},
    {"authz-listen", "ADDR",
     "Where to serve /authz alone, for a proxy next door; without TLS on loopback and Unix sockets "
     "(default none)",
     true},
    {"tls-cert", "FILE", "Certificate chain, PEM; read again on SIGHUP (default no TLS)"},
    {"tls-key", "FILE", "Private key of the certificate, PEM"},
    {"behind-tls-proxy", "",
     "TLS ends in a proxy in front, so other addresses than loopback may do without (default "
     "false)"},
    {"trusted-proxy", "CIDR",
     "Proxies whose X-Forwarded-For is believed; \"unix\" means the peers of Unix sockets (default "
     "none)",
     true},
    {"brand", "TEXT",
     "First part of every raw key, 2 to 10 lower-case letters and digits; keys of another brand "
     "are not accepted any more (default p402)"},
    {"threads", "N", "Threads that serve requests, 1 to 1024 (default one per core)"},
    {"public-url", "URL", "How users reach this server (default http://localhost:4020)"},
    {"drain-time", "DURATION",
     "How long requests in flight may take when the server stops (default 30s)"},
    {"no-usage", "",
     "Do not record when keys are used: last_used_at stays as it is (default false)"},
    {"log-level", "LEVEL", "debug, info, warning or error (default info)"},
    {"log-file", "FILE", "Where to write the log, JSON lines (default standard error)"},
    {"account-name", "TEXT", "Name of the account that an empty store gets (default default)"},
    {"store", "URL", "Where keys are kept: sqlite, in the data folder (default sqlite)"},
}};

Failure Bad(std::string_view setting, std::string_view what) {
  return InvalidArgument(std::string(setting), fmt::format("--{} {}", setting, what));
}

// Reads settings out of Values; the first value of a single one.
class Reader {
 public:
  explicit Reader(const Values& values) : values_(values) {}

  const std::vector<std::string>& List(std::string_view name) const {
    static const std::vector<std::string> kNone;
    const auto found = values_.find(name);
    return found == values_.end() ? kNone : found->second;
  }
  std::string Text(std::string_view name, std::string_view if_absent = {}) const {
    const auto& list = List(name);
    return list.empty() ? std::string(if_absent) : list.front();
  }
  Result<bool> Switch(std::string_view name) const {
    const std::string text = Text(name, "false");
    if (text != "true" && text != "false") return Bad(name, "must be true or false");
    return text == "true";
  }

 private:
  const Values& values_;
};

Result<std::vector<Address>> ReadAddresses(const Reader& reader, std::string_view name) {
  std::vector<Address> addresses;
  for (const auto& text : reader.List(name)) {
    auto address = ParseAddress(text);
    if (!address) return Bad(name, address.error().public_message);
    addresses.push_back(std::move(*address));
  }
  return addresses;
}

Result<std::optional<net::TlsFiles>> ReadTls(const Reader& reader) {
  net::TlsFiles files{.certificate = reader.Text("tls-cert"),
                      .private_key = reader.Text("tls-key")};
  if (files.certificate.empty() && files.private_key.empty()) return std::nullopt;
  if (files.certificate.empty()) return Bad("tls-key", "needs --tls-cert too");
  if (files.private_key.empty()) return Bad("tls-cert", "needs --tls-key too");
  return files;
}

Status ReadProxies(const Reader& reader, NodeOptions& node) {
  for (const auto& text : reader.List("trusted-proxy")) {
    if (text == "unix") {
      node.trusts_unix_peers = true;
      continue;
    }
    const auto cidr = key::Cidr::Parse(text);
    if (!cidr) {
      return Bad("trusted-proxy",
                 fmt::format("must be networks like 10.0.0.0/8, not \"{}\"", text));
    }
    node.trusted_proxies.push_back(*cidr);
  }
  return {};
}

Result<int> ReadThreads(const Reader& reader) {
  const std::string text = reader.Text("threads");
  if (text.empty()) return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  int threads = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, threads);
  if (error != std::errc() || stop != end || threads < 1 || threads > kMaxThreads) {
    return Bad("threads", "must be a number from 1 to 1024");
  }
  return threads;
}

Result<LogLevel> ReadLogLevel(const Reader& reader) {
  const std::string text = reader.Text("log-level", "info");
  if (text == "debug") return LogLevel::kDebug;
  if (text == "info") return LogLevel::kInfo;
  if (text == "warning") return LogLevel::kWarning;
  if (text == "error") return LogLevel::kError;
  return Bad("log-level", "must be debug, info, warning or error");
}

// C6: an origin, so that links can be made by appending a path.
Status CheckPublicUrl(std::string_view url) {
  const std::string_view host = url.starts_with("https://")  ? url.substr(8)
                                : url.starts_with("http://") ? url.substr(7)
                                                             : std::string_view();
  const bool is_origin = !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return c > 0x20 && c < 0x7F &&
           std::string_view("/?#@\"'\\<>").find(c) == std::string_view::npos;
  });
  if (is_origin) return {};
  return Bad("public-url", "must be like https://keys.example.com, without a path");
}

Status CheckBrandSetting(const std::string& brand) {
  if (key::CheckBrand(brand)) return {};
  return Bad("brand", "must be 2 to 10 lower-case letters and digits");
}

Status ReadNode(const Reader& reader, NodeOptions& node) {
  node.data = reader.Text("data");
  if (node.data.empty()) return Bad("data", "is required: the folder of the store, e.g. ./data");
  node.brand = reader.Text("brand", "p402");
  P402_TRY(CheckBrandSetting(node.brand));
  P402_TRY(node.listen, ReadAddresses(reader, "listen"));
  if (node.listen.empty()) {
    P402_TRY(auto address, ParseAddress("127.0.0.1:4020"));
    node.listen.push_back(std::move(address));
  }
  P402_TRY(node.authz_listen, ReadAddresses(reader, "authz-listen"));
  P402_TRY(node.tls, ReadTls(reader));
  P402_TRY(ReadProxies(reader, node));
  P402_TRY(node.threads, ReadThreads(reader));
  P402_TRY(const bool has_no_usage, reader.Switch("no-usage"));
  node.marks_use = !has_no_usage;
  node.first_account_name = reader.Text("account-name", "default");
  return {};
}

}  // namespace

std::span<const Setting> Settings() {
  return kSettings;
}

std::string EnvironmentName(std::string_view setting) {
  std::string name = "P402_";
  for (const char c : setting) {
    name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return name;
}

Values Merge(Values stronger, const Values& weaker) {
  stronger.insert(weaker.begin(), weaker.end());  // keeps what is there
  return stronger;
}

Result<ServeOptions> BuildServeOptions(const Values& values, Routes routes) {
  const Reader reader(values);
  ServeOptions options;
  P402_TRY(ReadNode(reader, options.node));
  options.node.routes = std::move(routes);
  if (reader.Text("store", "sqlite") != "sqlite") return Bad("store", "must be sqlite");
  P402_TRY(const bool is_behind_proxy, reader.Switch("behind-tls-proxy"));
  const Exposure exposure{.has_tls = options.node.tls.has_value(),
                          .is_behind_tls_proxy = is_behind_proxy};
  P402_TRY(CheckExposure(options.node.listen, exposure));
  P402_TRY(CheckExposure(options.node.authz_listen, exposure));
  options.has_public_url = !reader.Text("public-url").empty();
  options.public_url = reader.Text("public-url", options.public_url);
  P402_TRY(CheckPublicUrl(options.public_url));
  const auto drain_time = ParseDuration(reader.Text("drain-time", "30s"));
  if (!drain_time) return Bad("drain-time", "must be a duration like 30s or 2m");
  options.drain_time = *drain_time;
  P402_TRY(options.log.level, ReadLogLevel(reader));
  options.log.file = reader.Text("log-file");
  return options;
}

}  // namespace p402::app
