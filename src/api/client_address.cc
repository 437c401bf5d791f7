#include "api/client_address.h"

#include <algorithm>
#include <ranges>

#include "net/ascii.h"

namespace p402::api {
namespace {

// A hop as proxies write it: an address, "1.2.3.4:5678", "[2001:db8::1]" or "[2001:db8::1]:5678".
std::optional<key::IpAddress> ParseHop(std::string_view hop) {
  hop = net::TrimBlanks(hop);
  if (hop.starts_with('[')) {
    const size_t end = hop.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view rest = hop.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
    return key::IpAddress::Parse(hop.substr(1, end - 1));
  }
  if (std::ranges::count(hop, ':') == 1) hop = hop.substr(0, hop.find(':'));
  return key::IpAddress::Parse(hop);
}

}  // namespace

bool ClientAddress::IsTrusted(const key::IpAddress& address) const {
  return std::ranges::any_of(trusted_,
                             [&](const key::Cidr& cidr) { return cidr.Contains(address); });
}

std::optional<key::IpAddress> ClientAddress::Of(const net::Request& request) const {
  const bool is_unix = request.peer == "unix";
  const auto peer = is_unix ? std::nullopt : key::IpAddress::Parse(request.peer);
  const bool is_trusted = is_unix ? trusts_unix_peers_ : peer && IsTrusted(*peer);
  if (!is_trusted) return peer;
  std::optional<key::IpAddress> client;
  // Several header lines are one list, in their order: walked from the right.
  for (const net::HeaderView& header : std::views::reverse(request.headers)) {
    if (!net::EqualsIgnoreCase(header.name, "x-forwarded-for")) continue;
    std::string_view list = header.value;
    while (true) {
      const size_t comma = list.rfind(',');
      client = ParseHop(comma == std::string_view::npos ? list : list.substr(comma + 1));
      if (!client || !IsTrusted(*client)) return client;
      if (comma == std::string_view::npos) break;
      list = list.substr(0, comma);
    }
  }
  return client;
}

}  // namespace p402::api
