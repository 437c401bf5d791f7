#include "app/address.h"

#include <gtest/gtest.h>

#include <vector>

namespace p402::app {
namespace {

Address Parsed(std::string_view text) {
  auto address = ParseAddress(text);
  EXPECT_TRUE(address) << text;
  return address ? *address : Address{};
}

TEST(Address, C1_AcceptsIpAndPortAndUnixPaths) {
  EXPECT_EQ(Parsed("127.0.0.1:4020").port, 4020);
  EXPECT_EQ(Parsed("127.0.0.1:0").port, 0);
  EXPECT_EQ(Parsed("0.0.0.0:65535").port, 65535);
  EXPECT_EQ(Parsed("localhost:80").text, "127.0.0.1:80");
  EXPECT_EQ(Parsed("[::1]:4020").text, "[::1]:4020");
  EXPECT_EQ(Parsed("[2001:db8::7]:1").port, 1);
  EXPECT_TRUE(Parsed("unix:/run/p402.sock").is_unix);
  EXPECT_TRUE(ParseAddress("unix:/" + std::string(106, 'a')));
}

TEST(Address, C1_RefusesEverythingElse) {
  for (const char* bad : {"",
                          ":",
                          ":4020",
                          "4020",
                          "127.0.0.1",
                          "127.0.0.1:",
                          "127.0.0.1:65536",
                          "127.0.0.1:-1",
                          "127.0.0.1:+1",
                          "127.0.0.1: 1",
                          "127.0.0.1:000001",
                          "256.0.0.1:80",
                          "nowhere",
                          "nowhere:80",
                          "localhost:x",
                          "::1:4020",
                          "[127.0.0.1]:80",
                          "[localhost]:80",
                          "[::1]",
                          "[::1]4020",
                          "[]:80",
                          "unix:",
                          "unix:relative",
                          "http://127.0.0.1:80"}) {
    EXPECT_FALSE(ParseAddress(bad)) << bad;
  }
  EXPECT_FALSE(ParseAddress("unix:/" + std::string(107, 'a')));
}

TEST(Address, S2_LocalIsWhatOnlyThisMachineReaches) {
  for (const char* local :
       {"127.0.0.1:1", "127.255.255.254:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "unix:/s"}) {
    EXPECT_TRUE(Parsed(local).is_local()) << local;
  }
  for (const char* other : {"0.0.0.0:1", "[::]:1", "128.0.0.1:1", "10.0.0.1:1", "126.0.0.1:1",
                            "[::2]:1", "[fe80::1]:1", "[::ffff:10.0.0.1]:1"}) {
    EXPECT_FALSE(Parsed(other).is_local()) << other;
  }
}

TEST(Address, S2_OtherAddressesNeedTls) {
  const std::vector<Address> local = {Parsed("127.0.0.1:1"), Parsed("unix:/s")};
  const std::vector<Address> mixed = {Parsed("127.0.0.1:1"), Parsed("0.0.0.0:1")};
  EXPECT_TRUE(CheckExposure(local, {}));
  const auto refused = CheckExposure(mixed, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  for (const char* word : {"0.0.0.0:1", "--tls-cert", "--behind-tls-proxy", "127.0.0.1"}) {
    EXPECT_NE(refused.error().public_message.find(word), std::string::npos) << word;
  }
  EXPECT_TRUE(CheckExposure(mixed, {.has_tls = true}));
  EXPECT_TRUE(CheckExposure(mixed, {.is_behind_tls_proxy = true}));
}

}  // namespace
}  // namespace p402::app
