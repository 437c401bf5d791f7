#include "key/cidr.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/testing/fakes.h"

namespace p402::key {
namespace {

IpAddress Ip(std::string_view text) {
  const auto address = IpAddress::Parse(text);
  EXPECT_TRUE(address) << text;
  return address.value_or(IpAddress{});
}
Cidr Net(std::string_view text) {
  auto cidr = Cidr::Parse(text);
  EXPECT_TRUE(cidr) << text;
  return cidr.value_or(Cidr{});
}
CidrSet Set(std::vector<std::string> cidrs) {
  auto set = CidrSet::Parse(cidrs);
  EXPECT_TRUE(set);
  return set.value_or(CidrSet());
}

TEST(IpAddress, WritesItsShortestForm) {
  for (const char* text :
       {"203.0.113.9", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::", "::1", "fe80::a:b:c:d"}) {
    EXPECT_EQ(Ip(text).ToString(), text);
  }
  EXPECT_EQ(Ip("2001:0DB8:0:0:0:0:0:1").ToString(), "2001:db8::1");
}

TEST(IpAddress, AMappedAddressIsItsIpv4Address) {
  EXPECT_EQ(Ip("::ffff:203.0.113.9"), Ip("203.0.113.9"));
  EXPECT_EQ(Ip("::FFFF:cb00:7109"), Ip("203.0.113.9"));
  EXPECT_TRUE(Ip("::ffff:203.0.113.9").is_v4());
  EXPECT_FALSE(Ip("::203.0.113.9").is_v4());
  EXPECT_FALSE(Ip("64:ff9b::203.0.113.9").is_v4());
}

TEST(IpAddress, RefusesEverythingElse) {
  for (const char* text : {"",
                           "1",
                           "1.2.3",
                           "1.2.3.4.5",
                           "256.1.1.1",
                           "1.2.3.04",
                           "01.2.3.4",
                           "0x1.2.3.4",
                           "1.2.3.4 ",
                           " 1.2.3.4",
                           "1.2.3.4/32",
                           "1.2.3.4:80",
                           "[::1]",
                           "::1%eth0",
                           "fe80::1%1",
                           ":::",
                           "1::2::3",
                           "12345::",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "0000:0000:0000:0000:0000:0000:0000:0000:0000",
                           "g::",
                           "localhost",
                           "-1.2.3.4"}) {
    EXPECT_FALSE(IpAddress::Parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::Parse(std::string_view("1.2.3.4\0", 8)));
  EXPECT_FALSE(IpAddress::Parse(std::string(10'000, ':')));
}

TEST(IpAddress, ParsesWhatItWrites) {
  testing::SeededRandom random;
  for (int i = 0; i < 5'000; ++i) {
    IpAddress address;
    random.Fill(address.bytes);
    const uint64_t zeroes = random.Next64();
    for (size_t n = 0; n < 16; ++n) {
      if (zeroes >> n & 1) address.bytes[n] = 0;
    }
    EXPECT_EQ(Ip(address.ToString()), address);
  }
}

TEST(Cidr, WritesItsNetwork) {
  for (const char* text : {"10.0.0.0/8", "0.0.0.0/0", "203.0.113.9/32", "2001:db8::/32", "::/0",
                           "::1/128", "128.0.0.0/1"}) {
    EXPECT_EQ(Net(text).ToString(), text);
  }
  EXPECT_EQ(Net("203.0.113.9").ToString(), "203.0.113.9/32");
  EXPECT_EQ(Net("2001:db8::1").ToString(), "2001:db8::1/128");
}

TEST(Cidr, AMappedNetworkIsItsIpv4Network) {
  EXPECT_EQ(Net("::ffff:10.0.0.0/104"), Net("10.0.0.0/8"));
  EXPECT_EQ(Net("::ffff:0:0/96"), Net("0.0.0.0/0"));
  EXPECT_EQ(Net("::ffff:10.0.0.1"), Net("10.0.0.1/32"));
  EXPECT_FALSE(Cidr::Parse("::ffff:0:0/95"));  // cuts through the mark of a mapped address
}

TEST(Cidr, RefusesHostBits) {
  for (const char* text : {"10.0.0.1/8", "10.0.0.1/31", "0.0.0.1/0", "128.0.0.0/0",
                           "2001:db8::1/64", "2001:db8::/28", "::1/127", "::1/0"}) {
    const auto cidr = Cidr::Parse(text);
    ASSERT_FALSE(cidr) << text;
    EXPECT_NE(cidr.error().public_message.find("beyond its prefix length"), std::string::npos);
  }
}

TEST(Cidr, RefusesEverythingElse) {
  for (const char* text :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/00",
        "10.0.0.0/+8", "10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0/8", "10.0.0.0/255.0.0.0", "::/129",
        "::/1e1", "10.0.0.0/99999999999", "*", "any"}) {
    const auto cidr = Cidr::Parse(text);
    ASSERT_FALSE(cidr) << text;
    EXPECT_EQ(cidr.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(cidr.error().field, "");
    EXPECT_NE(cidr.error().public_message, "");
  }
}

TEST(Cidr, ContainsTheAddressesOfItsNetwork) {
  const Cidr ten = Net("10.128.0.0/9");
  EXPECT_TRUE(ten.Contains(Ip("10.128.0.0")));
  EXPECT_TRUE(ten.Contains(Ip("10.255.255.255")));
  EXPECT_TRUE(ten.Contains(Ip("::ffff:10.200.0.1")));
  EXPECT_FALSE(ten.Contains(Ip("10.127.255.255")));
  EXPECT_FALSE(ten.Contains(Ip("11.128.0.0")));
  EXPECT_FALSE(ten.Contains(Ip("::10.128.0.1")));
  EXPECT_TRUE(Net("203.0.113.9").Contains(Ip("203.0.113.9")));
  EXPECT_FALSE(Net("203.0.113.9").Contains(Ip("203.0.113.8")));
}

TEST(Cidr, ZeroBitsAreAllOfOneFamily) {
  EXPECT_TRUE(Net("0.0.0.0/0").Contains(Ip("255.255.255.255")));
  EXPECT_FALSE(Net("0.0.0.0/0").Contains(Ip("2001:db8::1")));
  EXPECT_TRUE(Net("::/0").Contains(Ip("2001:db8::1")));
  EXPECT_FALSE(Net("::/0").Contains(Ip("203.0.113.9")));
  EXPECT_FALSE(Net("::/64").Contains(Ip("203.0.113.9")));
  EXPECT_FALSE(Net("::/0").Contains(Net("10.0.0.0/8")));
}

// Bit by bit, against the definition.
TEST(Cidr, ContainsAsTheBitsSay) {
  testing::SeededRandom random;
  for (int i = 0; i < 20'000; ++i) {
    IpAddress a;
    random.Fill(a.bytes);
    const auto bits = static_cast<uint8_t>(random.Next64() % 129);
    IpAddress network = a;
    for (size_t n = bits; n < 128; ++n) {
      network.bytes[n / 8] &= static_cast<uint8_t>(~(0x80 >> n % 8));
    }
    const Cidr cidr{.network = network, .prefix_bits = bits};
    EXPECT_TRUE(cidr.Contains(a));
    const size_t flipped = random.Next64() % 128;
    a.bytes[flipped / 8] ^= static_cast<uint8_t>(0x80 >> flipped % 8);
    EXPECT_EQ(cidr.Contains(a), flipped >= bits);
  }
}

TEST(CidrSet, S4_TheEmptySetAllowsEverybody) {
  EXPECT_TRUE(CidrSet().Allows(Ip("203.0.113.9")));
  EXPECT_TRUE(CidrSet().Allows(std::nullopt));
}

TEST(CidrSet, S4_AnUnknownAddressIsAllowedOnlyByTheEmptySet) {
  EXPECT_FALSE(Set({"10.0.0.0/8"}).Allows(std::nullopt));
  EXPECT_FALSE(Set({"0.0.0.0/0", "::/0"}).Allows(std::nullopt));
}

TEST(CidrSet, AllowsWhatOneOfItsNetworksHas) {
  const CidrSet set = Set({"10.0.0.0/8", "2001:db8::/32"});
  EXPECT_TRUE(set.Allows(Ip("10.1.2.3")));
  EXPECT_TRUE(set.Allows(Ip("2001:db8:1::1")));
  EXPECT_FALSE(set.Allows(Ip("11.0.0.0")));
  EXPECT_FALSE(set.Allows(Ip("2001:db9::")));
}

// Every pair of these sets: is the column within the row?
TEST(CidrSet, A2_IncludesEveryPair) {
  const std::vector<CidrSet> sets = {
      Set({}),                              // everywhere, and unknown
      Set({"0.0.0.0/0", "::/0"}),           // everywhere
      Set({"0.0.0.0/0"}),                   //
      Set({"::/0"}),                        //
      Set({"10.0.0.0/8"}),                  //
      Set({"10.0.0.0/9", "10.128.0.0/9"}),  // the same, in halves
      Set({"10.0.0.0/9", "10.128.0.0/10"}),
      Set({"10.1.2.3", "10.200.0.0/16"}),
  };
  const int expected[8][8] = {
      {1, 1, 1, 1, 1, 1, 1, 1},  //
      {0, 1, 1, 1, 1, 1, 1, 1},  //
      {0, 0, 1, 0, 1, 1, 1, 1},  //
      {0, 0, 0, 1, 0, 0, 0, 0},  //
      {0, 0, 0, 0, 1, 1, 1, 1},  //
      {0, 0, 0, 0, 1, 1, 1, 1},  //
      {0, 0, 0, 0, 0, 0, 1, 0},  // 10.200.0.0 is in the quarter that is missing
      {0, 0, 0, 0, 0, 0, 0, 1},
  };
  for (size_t row = 0; row < sets.size(); ++row) {
    for (size_t column = 0; column < sets.size(); ++column) {
      EXPECT_EQ(sets[row].Includes(sets[column]), expected[row][column] == 1)
          << row << ' ' << column;
    }
  }
}

// All 256 single addresses of a /24 cannot be in one set; 64 addresses of a /26 can.
TEST(CidrSet, A2_ManySmallNetworksCoverALargeOne) {
  std::vector<std::string> parts;
  for (int i = 0; i < 64; ++i) parts.push_back(fmt::format("10.0.0.{}", i));
  EXPECT_TRUE(Set(parts).Includes(Set({"10.0.0.0/26"})));
  EXPECT_FALSE(Set(parts).Includes(Set({"10.0.0.0/25"})));
  parts.erase(parts.begin() + 40);
  EXPECT_FALSE(Set(parts).Includes(Set({"10.0.0.0/26"})));
  EXPECT_TRUE(Set(parts).Includes(Set({"10.0.0.0/27", "10.0.0.48/28"})));
}

TEST(CidrSet, HasAtMost64Networks) {
  std::vector<std::string> cidrs;
  for (size_t i = 0; i < limits::kCidrCount; ++i) cidrs.push_back(fmt::format("10.0.{}.0/24", i));
  EXPECT_EQ(Set(cidrs).values().size(), limits::kCidrCount);
  cidrs.push_back("10.0.0.0/24");  // a duplicate is none more
  EXPECT_EQ(Set(cidrs).values().size(), limits::kCidrCount);
  cidrs.push_back("11.0.0.0/24");
  const auto set = CidrSet::Parse(cidrs);
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().field, "allowed_cidrs");
  EXPECT_NE(set.error().public_message.find("64"), std::string::npos);
}

TEST(CidrSet, ARefusalNamesTheNetworkSafely) {
  const auto set = CidrSet::Parse(std::vector<std::string>{"10.0.0.0/8", "10.0.0.1/8"});
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(set.error().field, "allowed_cidrs");
  EXPECT_NE(set.error().public_message.find("\"10.0.0.1/8\""), std::string::npos);
  const auto bad = CidrSet::Parse(std::vector<std::string>{"\x1b\n" + std::string(1000, 'x')});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().public_message.find('\n'), std::string::npos);
  EXPECT_LT(bad.error().public_message.size(), 200u);
}

TEST(CidrSet, ParsesItsOwnTexts) {
  const CidrSet set = Set({"2001:db8::/32", "10.0.0.0/8", "10.0.0.0/8", "::ffff:10.0.0.0/112"});
  EXPECT_EQ(set.values().size(), 3u);
  EXPECT_EQ(Set(set.ToStrings()), set);
}

}  // namespace
}  // namespace p402::key
