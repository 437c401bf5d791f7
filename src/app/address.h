#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "key/cidr.h"

namespace p402::app {

// Where to listen.
struct Address {
  std::string text;  // as net takes it: "127.0.0.1:4020", "[::1]:0", "unix:/path"
  bool is_unix = false;
  key::IpAddress ip = {};
  uint16_t port = 0;

  // True if nothing outside of this machine can reach it.
  bool is_local() const;
};

// Accepts IP:PORT, [IPv6]:PORT, localhost:PORT and unix:/path.
// Errors: kInvalidArgument, field empty.
Result<Address> ParseAddress(std::string_view text);

struct Exposure {
  bool has_tls = false;
  bool is_behind_tls_proxy = false;
};
// S2.
// Errors: kInvalidArgument for an address that is not local without TLS, unless TLS ends before it;
// the message says what to do.
Status CheckExposure(std::span<const Address> addresses, Exposure exposure);

}  // namespace p402::app
