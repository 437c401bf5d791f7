#include "app/address.h"

#include <fmt/format.h>

#include <charconv>

namespace p402::app {
namespace {

constexpr size_t kUnixPathBytes = 107;  // sockaddr_un

Failure BadAddress(std::string_view text) {
  return InvalidArgument("", fmt::format("\"{}\" is not an address to listen on: write "
                                         "127.0.0.1:4020, [::1]:4020 or unix:/run/p402.sock",
                                         text));
}

bool ParsePort(std::string_view text, uint16_t& port) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  return error == std::errc() && stop == end && text.size() <= 5;
}

Result<Address> ParseUnix(std::string_view text) {
  const std::string_view path = text.substr(std::string_view("unix:").size());
  const bool is_absolute = path.starts_with('/') && path.find('\0') == path.npos;
  if (!is_absolute || path.size() > kUnixPathBytes) {
    return InvalidArgument("", fmt::format("\"{}\" must be unix: and an absolute path of at most "
                                           "{} bytes",
                                           text, kUnixPathBytes));
  }
  return Address{.text = std::string(text), .is_unix = true};
}

}  // namespace

bool Address::is_local() const {
  if (is_unix) return true;
  if (ip.is_v4()) return ip.bytes[12] == 127;
  static constexpr std::array<uint8_t, 16> kLoopback = {0, 0, 0, 0, 0, 0, 0, 0,
                                                        0, 0, 0, 0, 0, 0, 0, 1};
  return ip.bytes == kLoopback;
}

Result<Address> ParseAddress(std::string_view text) {
  if (text.starts_with("unix:")) return ParseUnix(text);
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return BadAddress(text);
  std::string_view host = text.substr(0, colon);
  Address address;
  if (!ParsePort(text.substr(colon + 1), address.port)) return BadAddress(text);
  const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  if (host == "localhost" && !is_bracketed) host = "127.0.0.1";
  const bool has_colon = host.find(':') != host.npos;
  const auto ip = key::IpAddress::Parse(host);
  if (!ip || has_colon != is_bracketed) return BadAddress(text);
  address.ip = *ip;
  address.text = is_bracketed ? fmt::format("[{}]:{}", host, address.port)
                              : fmt::format("{}:{}", host, address.port);
  return address;
}

Status CheckExposure(std::span<const Address> addresses, Exposure exposure) {
  if (exposure.has_tls || exposure.is_behind_tls_proxy) return {};
  for (const Address& address : addresses) {
    if (address.is_local()) continue;
    return InvalidArgument(
        "listen", fmt::format("refusing to listen on {} without TLS: keys would cross the network "
                              "unencrypted. Add --tls-cert and --tls-key, or --behind-tls-proxy if "
                              "a proxy in front ends TLS, or listen on 127.0.0.1",
                              address.text));
  }
  return {};
}

}  // namespace p402::app
