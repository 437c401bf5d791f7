#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "net/message.h"

// The head of an HTTP/1 request, by RFC 9112, strictly. Pure: bytes in, views out.
//
//   GET /path?query HTTP/1.1 CRLF     request line: one SP each
//   Name: value CRLF                  no white space before the colon, no folding
//   CRLF                              every line ends in CRLF; no other control character but HTAB
namespace p402::net {

struct HeadLimits {
  size_t head_bytes = limits::kHeadBytes;
  size_t target_bytes = limits::kTargetBytes;
  size_t header_count = limits::kHeaderCount;
};

// Why a head is refused. `detail` is static and fit for the client.
struct HeadError {
  Refusal refusal = Refusal::kBadFraming;
  std::string_view detail = {};
};

enum class BodyKind : uint8_t { kNone, kLength, kChunked };

// Lifetime: the views point into the bytes that were parsed.
struct Head {
  std::string_view method;
  std::string_view target;  // of an absolute form: what follows the authority
  std::string_view path;
  std::string_view query;
  int version_minor = 1;
  std::vector<HeaderView> headers;
  BodyKind body = BodyKind::kNone;
  uint64_t content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;

  bool has_body() const {
    return body == BodyKind::kChunked || (body == BodyKind::kLength && content_length != 0);
  }
};

// How far a head that is still arriving has been looked at.
struct HeadProgress {
  size_t checked = 0;
  size_t line_bytes = 0;  // the request line without CRLF, once it is known
};

struct HeadEnd {
  enum class Kind : uint8_t { kIncomplete, kComplete, kRefused };
  Kind kind = Kind::kIncomplete;
  size_t bytes = 0;      // kComplete: the head with its empty line
  HeadError error = {};  // kRefused
};

// Looks for the end of the head in everything that has arrived of it. Bare CR or LF and control
// characters are refused at once, not when the head is complete: it may never be.
// Cost: each byte is looked at once over all calls with the same `progress`.
// Requires: `data` starts at the request line and begins with what earlier calls were given.
HeadEnd FindHeadEnd(std::string_view data, const HeadLimits& limits, HeadProgress& progress);

// Parses what FindHeadEnd found complete: `head` ends with the empty line. Clears `out` first.
// Returns: nullopt, or why it is refused.
std::optional<HeadError> ParseHead(std::string_view head, const HeadLimits& limits, Head& out);

}  // namespace p402::net
