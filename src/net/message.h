#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"

namespace p402::net {

struct HeaderView {
  std::string_view name;   // as the client wrote it; compared without case
  std::string_view value;  // without surrounding white space
};

struct HeaderMatch {
  size_t count = 0;             // how often the header is there
  std::string_view value = {};  // of the first one
};

// A request. Its bytes are wiped when it is answered, because they may hold a raw key.
// Lifetime: everything points into the connection's buffer, valid until AnswerDirectly has answered,
//           or else until the Responder of this request has been used or destroyed.
struct Request {
  std::string_view method;
  std::string_view target;  // as sent: path and query, nothing decoded or normalised
  std::string_view path;    // the target up to '?'
  std::string_view query;   // after '?', empty if there is none
  int version_minor = 1;    // HTTP/1.<n>: 0 or 1
  std::span<const HeaderView> headers;
  std::string_view body;
  std::string_view peer;  // the numeric address of the other end; "unix" for a Unix socket
  bool is_tls = false;

  // The first header of that name. Case does not matter.
  std::optional<std::string_view> Header(std::string_view name) const;
  HeaderMatch FindHeader(std::string_view name) const;
};

// An answer. Content-Length, Date and Connection are added by the server; a HEAD request and a 204
// or 304 get no body.
struct Response {
  int status = 200;
  std::string content_type = {};  // empty: no Content-Type
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  // If open, the body is the first `file_bytes` of this file instead.
  UniqueFd file = UniqueFd();
  uint64_t file_bytes = 0;
  bool is_secret = false;  // the body holds a raw key: every buffer it passes through is wiped
  bool close = false;      // close the connection after this answer
};

// An answer that a handler gives at once, without a Responder. The server adds the status line,
// Date, Content-Length and Connection; a HEAD request and a 204 or 304 get no body.
struct DirectAnswer {
  int status = 200;
  // Each "Name: value\r\n", written and escaped by the handler, Content-Type included.
  std::string_view header_lines = {};
  std::string_view body = {};
};

// Why a request was refused before it reached the handler.
enum class Refusal : uint8_t {
  kBadFraming,                   // 400: what `detail` says; the connection is closed
  kHeadTooLarge,                 // 431
  kTargetTooLong,                // 414
  kBodyTooLarge,                 // 413
  kUnsupportedVersion,           // 505
  kUnsupportedExpectation,       // 417
  kUnsupportedTransferEncoding,  // 501
  kOverloaded,  // 503: the server is draining, or has no room for another connection
};
int RefusalStatus(Refusal refusal);

}  // namespace p402::net
