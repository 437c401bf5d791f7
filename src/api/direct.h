#pragma once

#include <string>
#include <string_view>

#include "net/message.h"

namespace p402::api {

class Core;

// Writes an answer that is given at once (net::DirectAnswer): header lines, then the body, one
// behind the other in the server's scratch.
// Lifetime: the scratch outlives the writer, and keeps what Finish points to.
class DirectWriter {
 public:
  // Clears `scratch` and writes what every answer carries: a new request id, no-store, nosniff,
  // no-referrer, and the content type, which is application/json.
  DirectWriter(Core& core, std::string& scratch);

  // `value` is written as it is: it must not have a line end.
  void Header(std::string_view name, std::string_view value);
  // Starts a header whose value the caller appends to the text that it gets, and ends with
  // EndHeader.
  std::string& BeginHeader(std::string_view name);
  void EndHeader() { out_ += "\r\n"; }

  // Ends the header lines. The caller appends the body to the text that it gets.
  std::string& BeginBody();
  net::DirectAnswer Finish(int status) const;

 private:
  std::string& out_;
  size_t body_at_ = 0;
};

// `response` as a direct answer.
// Requires: no file, no secret, and no line end in a header.
net::DirectAnswer DirectAnswerOf(const net::Response& response, std::string& scratch);

}  // namespace p402::api
