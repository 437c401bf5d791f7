#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/pen.h"
#include "net/message.h"

namespace p402::api {

class Core;

// Writes an answer that is given at once (net::DirectAnswer): header lines, then the body, one
// behind the other in the server's scratch.
// Lifetime: the scratch outlives the writer, and keeps what Finish points to.
class DirectWriter {
 public:
  // Writes over `scratch` what every answer carries: the request id of a request that came at `now`,
  // no-store, nosniff, no-referrer, and the content type, which is application/json.
  DirectWriter(Core& core, WallTime now, std::string& scratch);

  // Makes room for so many bytes more. Call it once, before the rest is written.
  void Reserve(size_t bytes);
  // For whole header lines, each with its line end; after BeginBody, for the body.
  Pen& pen() { return pen_; }
  void BeginBody() { body_at_ = pen_.size(); }
  net::DirectAnswer Finish(int status) const;

 private:
  std::string& out_;
  Pen pen_;
  size_t body_at_ = 0;
};

// `response` as a direct answer.
// Requires: no file, no secret, and no line end in a header.
net::DirectAnswer DirectAnswerOf(const net::Response& response, std::string& scratch);

}  // namespace p402::api
