#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "key/cidr.h"

namespace {

using p402::key::Cidr;
using p402::key::CidrSet;
using p402::key::IpAddress;

// The last address of a network.
IpAddress LastOf(const Cidr& cidr) {
  IpAddress last = cidr.network;
  for (size_t bit = cidr.prefix_bits; bit < 128; ++bit) {
    last.bytes[bit / 8] |= static_cast<uint8_t>(0x80 >> bit % 8);
  }
  return last;
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void CheckOne(std::string_view text) {
  if (const auto address = IpAddress::Parse(text)) {
    P402_CHECK(IpAddress::Parse(address->ToString()) == *address);
  }
  if (const auto cidr = Cidr::Parse(text)) {
    P402_CHECK(cidr->Contains(cidr->network) && cidr->Contains(LastOf(*cidr)));
    const auto again = Cidr::Parse(cidr->ToString());
    P402_CHECK(again && *again == *cidr);
  }
}

// A set that includes another allows at least the borders of its networks.
void CheckPair(const CidrSet& outer, const CidrSet& inner) {
  P402_CHECK(outer.Includes(outer));
  if (!outer.Includes(inner)) return;
  for (const Cidr& cidr : inner.values()) {
    P402_CHECK(outer.Allows(cidr.network) && outer.Allows(LastOf(cidr)));
  }
}

// A set is the same as its networks cut in halves.
void CheckHalves(const CidrSet& set) {
  std::vector<std::string> halves;
  for (const Cidr& cidr : set.values()) {
    if (cidr.prefix_bits == 128) {
      halves.push_back(cidr.ToString());
      continue;
    }
    Cidr half = cidr;
    ++half.prefix_bits;
    halves.push_back(half.ToString());
    half.network.bytes[cidr.prefix_bits / 8] |= static_cast<uint8_t>(0x80 >> cidr.prefix_bits % 8);
    halves.push_back(half.ToString());
  }
  const auto cut = CidrSet::Parse(halves);
  if (!cut) return;  // more than the limit
  P402_CHECK(cut->Includes(set) && set.Includes(*cut));
}

}  // namespace

// One network a line; an empty line between two sets.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t middle = std::min(text.find("\n\n"), text.size());
  const auto outer_lines = Lines(text.substr(0, middle));
  const auto inner_lines = Lines(text.substr(std::min(middle + 2, text.size())));
  for (const auto& line : outer_lines) CheckOne(line);
  const auto outer = CidrSet::Parse(outer_lines);
  const auto inner = CidrSet::Parse(inner_lines);
  if (outer) CheckHalves(*outer);
  if (outer && inner) CheckPair(*outer, *inner);
  return 0;
}
