#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace p402::net {

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers = {};
  const Secret* bearer = nullptr;  // sent as "Authorization: Bearer …", never logged
  std::string body = {};
  Millis timeout = std::chrono::seconds(60);
  // If set, receives the body of a 2xx answer in parts as they arrive, instead of
  // ClientResponse::body. Returning false ends the transfer with kIo.
  std::function<bool(std::string_view part)> sink = {};
};

struct ClientResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; the last one of a name
  std::string body;
};

// A blocking HTTP client (libcurl): http and https with verification against the system's roots, or
// `ca_file`; no redirects.
// Threads: one at a time per object.
class HttpClient {
 public:
  static Result<std::unique_ptr<HttpClient>> Create(std::string ca_file = {});
  virtual ~HttpClient() = default;
  // Errors: kUnavailable (cannot connect, timed out, TLS refused), with a public message that names
  // the host.
  virtual Result<ClientResponse> Send(const ClientRequest& request) = 0;
};

}  // namespace p402::net
