#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "key/cidr.h"
#include "net/message.h"

namespace p402::api {

// Finds the address of the client behind proxies (S4).
// Threads: safe to call concurrently.
class ClientAddress {
 public:
  ClientAddress(std::vector<key::Cidr> trusted_proxies, bool trusts_unix_peers)
      : trusted_(std::move(trusted_proxies)), trusts_unix_peers_(trusts_unix_peers) {}

  // The peer, if it is no trusted proxy: what it sends is not looked at. Else the rightmost hop of
  // X-Forwarded-For that is no trusted proxy, or the leftmost one if all of them are.
  // nullopt, unknown: a trusted proxy that names nobody or something that is no address, or the
  // peer of a Unix socket.
  std::optional<key::IpAddress> Of(const net::Request& request) const;

 private:
  bool IsTrusted(const key::IpAddress& address) const;
  std::vector<key::Cidr> trusted_;
  bool trusts_unix_peers_;
};

}  // namespace p402::api
