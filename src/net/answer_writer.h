#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "net/buffer.h"
#include "net/message.h"

namespace p402::net {

// What the connection knows about an answer beside its Response.
struct AnswerFrame {
  std::string_view date_line;  // "Date: …\r\n"
  bool is_head = false;        // the request was HEAD: no body, but its length
  bool close = false;          // "Connection: close"
  bool keep_alive = false;     // "Connection: keep-alive", which HTTP/1.0 needs to hear
};

// Appends the answer, without the bytes of a file, to `out`.
void AppendAnswer(const Response& response, const AnswerFrame& frame, Buffer& out);
// Requires: the header lines end with CRLF, each of them.
void AppendAnswer(const DirectAnswer& answer, const AnswerFrame& frame, Buffer& out);

// True if an answer of that status and method carries its body.
bool HasBody(int status, bool is_head);

// "Date: Wed, 15 Apr 2026 12:00:00 GMT\r\n"
std::string FormatDateLine(WallTime now);

}  // namespace p402::net
