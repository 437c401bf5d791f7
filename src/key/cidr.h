#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace p402::key {

// An IPv4 or IPv6 address; an IPv4-mapped IPv6 address (::ffff:a.b.c.d) is its IPv4 address. No
// zone ids.
struct IpAddress {
  std::array<uint8_t, 16> bytes{};  // IPv4 as ::ffff:a.b.c.d
  static std::optional<IpAddress> Parse(std::string_view text);
  bool is_v4() const;
  std::string ToString() const;
  auto operator<=>(const IpAddress&) const = default;
};

// A network: an address and a prefix length. Host bits must be zero.
struct Cidr {
  IpAddress network;
  uint8_t prefix_bits = 0;  // of the 128 of `bytes`
  // Accepts "10.0.0.0/8", "2001:db8::/32", and a single address.
  // Errors: kInvalidArgument, field empty.
  static Result<Cidr> Parse(std::string_view text);
  // An IPv4 address is in no IPv6 network, ::/0 neither.
  bool Contains(const IpAddress& address) const;
  bool Contains(const Cidr& other) const;
  std::string ToString() const;
  auto operator<=>(const Cidr&) const = default;
};

// True if a key with these networks may be used from `address`: from anywhere if there are none,
// and an unknown address (nullopt) is allowed only then (S4).
bool Allow(std::span<const Cidr> cidrs, const std::optional<IpAddress>& address);

// The networks that a key may be used from. Empty: from anywhere.
class CidrSet {
 public:
  CidrSet() = default;
  // Errors: kInvalidArgument (field "allowed_cidrs"): a bad network, or more than
  // limits::kCidrCount.
  static Result<CidrSet> Parse(std::span<const std::string> cidrs);
  // Requires: `cidrs` is what values() of a set gave.
  static CidrSet FromValues(std::span<const Cidr> cidrs);
  bool empty() const { return cidrs_.empty(); }
  bool Allows(const std::optional<IpAddress>& address) const { return Allow(cidrs_, address); }
  // True if every address that `other` allows is allowed by this set.
  bool Includes(const CidrSet& other) const;
  std::vector<std::string> ToStrings() const;
  const std::vector<Cidr>& values() const { return cidrs_; }
  bool operator==(const CidrSet&) const = default;

 private:
  std::vector<Cidr> cidrs_;
};

}  // namespace p402::key
