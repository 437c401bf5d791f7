#include "key/cidr.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace p402::key {
namespace {

using Texts = std::vector<std::string>;

IpAddress Ip(std::string_view text) {
  return *IpAddress::Parse(text);
}
Cidr Net(std::string_view text) {
  return *Cidr::Parse(text);
}
CidrSet Nets(const Texts& texts) {
  return *CidrSet::Parse(texts);
}

TEST(IpAddress, ReadsAndWritesBothFamilies) {
  EXPECT_EQ(Ip("203.0.113.9").ToString(), "203.0.113.9");
  EXPECT_EQ(Ip("2001:DB8:0:0::1").ToString(), "2001:db8::1");
  EXPECT_EQ(Ip("::").ToString(), "::");
  EXPECT_TRUE(Ip("203.0.113.9").is_v4());
  EXPECT_FALSE(Ip("::1").is_v4());
}

TEST(IpAddress, AMappedAddressIsItsIpv4Address) {
  EXPECT_EQ(Ip("::ffff:203.0.113.9"), Ip("203.0.113.9"));
  EXPECT_EQ(Ip("::ffff:203.0.113.9").ToString(), "203.0.113.9");
}

TEST(IpAddress, RefusesEverythingElse) {
  for (std::string_view bad :
       {std::string_view(""), std::string_view("1.2.3"), std::string_view("1.2.3.256"),
        std::string_view("01.2.3.4"), std::string_view(" 1.2.3.4"), std::string_view("1.2.3.4 "),
        std::string_view("fe80::1%eth0"), std::string_view("[::1]"), std::string_view("1.2.3.4:80"),
        std::string_view("localhost"), std::string_view("1.2.3.4\0", 8), std::string_view(":::"),
        std::string_view("0000:0000:0000:0000:0000:0000:0000:0000:0000")}) {
    EXPECT_FALSE(IpAddress::Parse(bad)) << bad;
  }
}

TEST(Cidr, HoldsWhatItsBitsSay) {
  EXPECT_TRUE(Net("10.0.0.0/8").Contains(Ip("10.255.0.1")));
  EXPECT_FALSE(Net("10.0.0.0/8").Contains(Ip("11.0.0.0")));
  EXPECT_TRUE(Net("10.128.0.0/9").Contains(Ip("10.200.0.1")));
  EXPECT_FALSE(Net("10.128.0.0/9").Contains(Ip("10.100.0.1")));
  EXPECT_TRUE(Net("203.0.113.9").Contains(Ip("203.0.113.9")));
  EXPECT_FALSE(Net("203.0.113.9").Contains(Ip("203.0.113.8")));
  EXPECT_TRUE(Net("2001:db8::/32").Contains(Ip("2001:db8:ffff::1")));
  EXPECT_FALSE(Net("2001:db8::/32").Contains(Ip("2001:db9::1")));
}

TEST(Cidr, TheWholeOfOneFamilyIsNotTheOther) {
  EXPECT_TRUE(Net("0.0.0.0/0").Contains(Ip("203.0.113.9")));
  EXPECT_FALSE(Net("0.0.0.0/0").Contains(Ip("2001:db8::1")));
  EXPECT_FALSE(Net("::/0").Contains(Ip("203.0.113.9")));
  EXPECT_FALSE(Net("::/0").Contains(Ip("::ffff:203.0.113.9")));
  EXPECT_TRUE(Net("::/0").Contains(Ip("2001:db8::1")));
}

TEST(Cidr, WritesWhatItReads) {
  for (const char* text :
       {"10.0.0.0/8", "0.0.0.0/0", "203.0.113.9/32", "2001:db8::/32", "::/0", "::1/128"}) {
    EXPECT_EQ(Net(text).ToString(), text);
  }
  EXPECT_EQ(Net("::ffff:10.0.0.0/104").ToString(), "10.0.0.0/8");
  EXPECT_EQ(Net("::ffff:0.0.0.0/90").ToString(),
            Net(Net("::ffff:0.0.0.0/90").ToString()).ToString());
}

TEST(Cidr, RefusesHostBitsAndBadLengths) {
  for (const char* bad :
       {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/8x", "/8",
        "2001:db8::/129", "2001:db8::1/64", "10.0.0.0/8/8", "10.0.0.0/+8"}) {
    EXPECT_FALSE(Cidr::Parse(bad)) << bad;
  }
}

TEST(CidrSet, AnEmptySetAllowsEverything) {
  EXPECT_TRUE(CidrSet().Allows(Ip("203.0.113.9")));
  EXPECT_TRUE(CidrSet().Allows(std::nullopt));
}

TEST(CidrSet, S4_AnUnknownAddressIsNotAllowedByALimit) {
  EXPECT_FALSE(Nets({"0.0.0.0/0", "::/0"}).Allows(std::nullopt));
  EXPECT_TRUE(Nets({"10.0.0.0/8", "192.0.2.0/24"}).Allows(Ip("192.0.2.1")));
  EXPECT_FALSE(Nets({"10.0.0.0/8", "192.0.2.0/24"}).Allows(Ip("192.0.3.1")));
}

TEST(CidrSet, A2_IncludesNetworkByNetwork) {
  EXPECT_TRUE(CidrSet().Includes(Nets({"10.0.0.0/8"})));
  EXPECT_TRUE(CidrSet().Includes(CidrSet()));
  EXPECT_FALSE(Nets({"10.0.0.0/8"}).Includes(CidrSet()));
  EXPECT_TRUE(Nets({"10.0.0.0/8"}).Includes(Nets({"10.1.0.0/16", "10.2.3.4"})));
  EXPECT_FALSE(Nets({"10.0.0.0/8"}).Includes(Nets({"10.1.0.0/16", "11.0.0.0/8"})));
  EXPECT_FALSE(Nets({"10.0.0.0/8"}).Includes(Nets({"0.0.0.0/0"})));
}

TEST(CidrSet, A1_HasALimit) {
  Texts texts;
  for (size_t i = 0; i < limits::kCidrCount; ++i) texts.push_back("10.0.0." + std::to_string(i));
  EXPECT_TRUE(CidrSet::Parse(texts));
  texts.push_back("10.0.1.0");
  const auto set = CidrSet::Parse(texts);
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().field, "allowed_cidrs");
}

}  // namespace
}  // namespace p402::key
