#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"

namespace p402::net::testing {

// An answer as it was on the wire.
struct RawAnswer {
  int status = 0;
  std::string head;                            // with its empty line
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// A socket that sends exactly what it is told. Every wait is bounded.
class RawClient {
 public:
  static constexpr std::chrono::milliseconds kPatience{10'000};

  // `address` is "127.0.0.1:port", "[::1]:port" or "unix:/path".
  explicit RawClient(const std::string& address);

  int fd() const { return fd_.get(); }
  bool is_connected() const { return is_connected_; }
  // False: the other end has gone.
  bool Send(std::string_view bytes);
  void EndOutput();
  // Reads one answer. `is_head`: it has no body. nullopt: closed or too late.
  std::optional<RawAnswer> ReadAnswer(bool is_head = false);
  // Reads until the other end closes; nullopt if it does not in time.
  std::optional<std::string> ReadToEnd(std::chrono::milliseconds patience = kPatience);
  // Reads more into the buffer. False: closed, or nothing came in time.
  bool ReadMore(std::chrono::milliseconds patience = kPatience);
  const std::string& buffered() const { return buffer_; }
  bool has_ended() const { return has_ended_; }
  bool was_reset() const { return was_reset_; }

 private:
  UniqueFd fd_;
  std::string buffer_;
  bool is_connected_ = false;
  bool has_ended_ = false;
  bool was_reset_ = false;
};

}  // namespace p402::net::testing
