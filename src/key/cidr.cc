#include "key/cidr.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/limits.h"

namespace p402::key {
namespace {

// Of a raw key that was put here by mistake, no more than lists show.
constexpr size_t kShownBytes = 16;

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int kMappedBits = 96;

bool SharesBits(const IpAddress& a, const IpAddress& b, int bits) {
  const auto whole = static_cast<size_t>(bits / 8);
  if (!std::equal(a.bytes.begin(), a.bytes.begin() + whole, b.bytes.begin())) return false;
  const int rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - rest));
  return (a.bytes[whole] & mask) == (b.bytes[whole] & mask);
}

bool HasHostBits(const IpAddress& address, int bits) {
  for (int i = bits; i < 128; ++i) {
    if (address.bytes[static_cast<size_t>(i / 8)] >> (7 - i % 8) & 1) return true;
  }
  return false;
}

// True if the networks of `cover` together hold all of `cidr`. One that is not within a single
// network is cut in halves for as long as there is a network inside of it, and the first hole ends
// it: at most 128 cuts, and two for each network of `cover`.
bool IsCovered(const Cidr& cidr, std::span<const Cidr> cover) {
  if (std::any_of(cover.begin(), cover.end(),
                  [&](const Cidr& outer) { return outer.Contains(cidr); })) {
    return true;
  }
  if (std::none_of(cover.begin(), cover.end(),
                   [&](const Cidr& inner) { return cidr.Contains(inner); })) {
    return false;
  }
  Cidr low = cidr;
  ++low.prefix_bits;
  Cidr high = low;
  high.network.bytes[cidr.prefix_bits / 8] |= static_cast<uint8_t>(0x80 >> cidr.prefix_bits % 8);
  return IsCovered(low, cover) && IsCovered(high, cover);
}

std::string Shown(std::string_view text) {
  std::string shown;
  for (char c : text.substr(0, kShownBytes)) shown += c >= 0x20 && c < 0x7f ? c : '?';
  if (text.size() > kShownBytes) shown += "...";
  return shown;
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN + 1];
  if (text.size() >= sizeof(terminated) || text.find('\0') != text.npos) return std::nullopt;
  *std::copy(text.begin(), text.end(), terminated) = '\0';
  IpAddress address;
  if (text.find(':') != text.npos) {
    if (inet_pton(AF_INET6, terminated, address.bytes.data()) != 1) return std::nullopt;
    return address;
  }
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
  if (inet_pton(AF_INET, terminated, address.bytes.data() + kMappedPrefix.size()) != 1) {
    return std::nullopt;
  }
  return address;
}

bool IpAddress::is_v4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin());
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN];
  if (is_v4()) {
    inet_ntop(AF_INET, bytes.data() + kMappedPrefix.size(), text, sizeof(text));
  } else {
    inet_ntop(AF_INET6, bytes.data(), text, sizeof(text));
  }
  return text;
}

Result<Cidr> Cidr::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = IpAddress::Parse(text.substr(0, slash));
  const auto bad = [&](std::string_view why) {
    return InvalidArgument("", fmt::format("\"{}\" {}", Shown(text), why));
  };
  if (!address) return bad("is not an address or network such as 10.0.0.0/8 or 2001:db8::/32");
  // By its spelling, so that ::ffff:10.0.0.0/104 counts its bits as IPv6.
  const bool is_v4 = text.find(':') == text.npos;
  const int width = is_v4 ? 32 : 128;
  int bits = width;
  if (slash != text.npos) {
    const std::string_view number = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bits);
    const bool has_leading_zero = number.size() > 1 && number.front() == '0';
    if (error != std::errc() || end != number.data() + number.size() || bits < 0 || bits > width ||
        has_leading_zero || number.front() == '-') {
      return bad(fmt::format("has a prefix length that is not 0 to {}", width));
    }
  }
  const int all_bits = is_v4 ? bits + kMappedBits : bits;
  if (HasHostBits(*address, all_bits)) return bad("has bits set beyond its prefix length");
  return Cidr{.network = *address, .prefix_bits = static_cast<uint8_t>(all_bits)};
}

bool Cidr::Contains(const IpAddress& address) const {
  // ::/0 is every IPv6 address. That an IPv4 address is kept as ::ffff:a.b.c.d does not put it
  // there.
  return network.is_v4() == address.is_v4() && SharesBits(network, address, prefix_bits);
}

bool Cidr::Contains(const Cidr& other) const {
  return prefix_bits <= other.prefix_bits && Contains(other.network);
}

std::string Cidr::ToString() const {
  const bool is_v4 = network.is_v4() && prefix_bits >= kMappedBits;
  if (is_v4) return fmt::format("{}/{}", network.ToString(), prefix_bits - kMappedBits);
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, network.bytes.data(), text, sizeof(text));
  return fmt::format("{}/{}", text, prefix_bits);
}

bool Allow(std::span<const Cidr> cidrs, const std::optional<IpAddress>& address) {
  if (cidrs.empty()) return true;
  return address && std::any_of(cidrs.begin(), cidrs.end(),
                                [&](const Cidr& cidr) { return cidr.Contains(*address); });
}

Result<CidrSet> CidrSet::Parse(std::span<const std::string> cidrs) {
  CidrSet set;
  for (const std::string& text : cidrs) {
    auto cidr = Cidr::Parse(text);
    if (!cidr) return InvalidArgument("allowed_cidrs", std::move(cidr.error().public_message));
    set.cidrs_.push_back(*cidr);
  }
  std::sort(set.cidrs_.begin(), set.cidrs_.end());
  set.cidrs_.erase(std::unique(set.cidrs_.begin(), set.cidrs_.end()), set.cidrs_.end());
  if (set.cidrs_.size() > limits::kCidrCount) {
    return InvalidArgument("allowed_cidrs",
                           fmt::format("has more than {} networks", limits::kCidrCount));
  }
  return set;
}

CidrSet CidrSet::FromValues(std::span<const Cidr> cidrs) {
  CidrSet set;
  set.cidrs_.assign(cidrs.begin(), cidrs.end());
  return set;
}

bool CidrSet::Includes(const CidrSet& other) const {
  if (cidrs_.empty()) return true;
  if (other.cidrs_.empty()) return false;
  return std::all_of(other.cidrs_.begin(), other.cidrs_.end(),
                     [this](const Cidr& cidr) { return IsCovered(cidr, cidrs_); });
}

std::vector<std::string> CidrSet::ToStrings() const {
  std::vector<std::string> texts;
  for (const Cidr& cidr : cidrs_) texts.push_back(cidr.ToString());
  return texts;
}

}  // namespace p402::key
