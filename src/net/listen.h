#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace p402::net {

// A bound and listening address: one socket for each I/O thread.
struct Bound {
  std::string address;  // with the true port
  std::string unix_path = {};
  std::vector<UniqueFd> sockets = {};
};

// Binds "127.0.0.1:4020", "[::1]:0" or "unix:/path" for `threads` threads. Over TCP each has a
// socket of its own (SO_REUSEPORT), over Unix sockets they share one. A Unix socket that nobody
// listens on any more is replaced.
// Errors: kInvalidArgument (field "listen"), kIo naming the address.
Result<Bound> Bind(const std::string& address, int threads);

}  // namespace p402::net
