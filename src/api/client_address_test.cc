#include "api/client_address.h"

#include "api/testing/world.h"
#include "gtest/gtest.h"

namespace p402::api {
namespace {

using testing::Ask;
using testing::Headers;
using testing::Message;

std::vector<key::Cidr> Proxies() {
  return {*key::Cidr::Parse("10.0.0.0/8"), *key::Cidr::Parse("2001:db8::/32")};
}

std::string Found(const std::string& peer, const std::vector<std::string>& forwarded,
                  bool trusts_unix_peers = false) {
  Headers headers = {{"Forwarded", "for=198.51.100.99"}, {"X-Real-IP", "198.51.100.98"}};
  for (const std::string& line : forwarded) headers.emplace_back("X-Forwarded-For", line);
  const Message message(Ask{.headers = headers, .peer = peer});
  const auto found = ClientAddress(Proxies(), trusts_unix_peers).Of(message.request);
  return found ? found->ToString() : "unknown";
}

TEST(ClientAddress, S4_AnUntrustedPeerIsTheClientWhateverItSends) {
  EXPECT_EQ(Found("192.0.2.1", {}), "192.0.2.1");
  EXPECT_EQ(Found("192.0.2.1", {"198.51.100.1"}), "192.0.2.1");
  EXPECT_EQ(Found("::ffff:192.0.2.1", {"198.51.100.1"}), "192.0.2.1");
}

TEST(ClientAddress, S4_TheRightmostUntrustedHop) {
  EXPECT_EQ(Found("10.0.0.1", {"198.51.100.1"}), "198.51.100.1");
  EXPECT_EQ(Found("10.0.0.1", {"203.0.113.1, 198.51.100.1"}), "198.51.100.1");
  EXPECT_EQ(Found("10.0.0.1", {"203.0.113.1,198.51.100.1 , 10.2.3.4,2001:db8::5"}), "198.51.100.1");
  EXPECT_EQ(Found("2001:db8::1", {"2001:db9::7"}), "2001:db9::7");
}

TEST(ClientAddress, S4_SeveralLinesAreOneList) {
  EXPECT_EQ(Found("10.0.0.1", {"198.51.100.1", "203.0.113.1"}), "203.0.113.1");
  EXPECT_EQ(Found("10.0.0.1", {"203.0.113.1, 198.51.100.1", "10.0.0.2, 10.0.0.3"}), "198.51.100.1");
}

TEST(ClientAddress, S4_IfAllAreTrustedTheLeftmostIsTheClient) {
  EXPECT_EQ(Found("10.0.0.1", {"10.9.9.9, 10.0.0.2"}), "10.9.9.9");
}

TEST(ClientAddress, S4_ATrustedProxyThatNamesNobodyLeavesItUnknown) {
  EXPECT_EQ(Found("10.0.0.1", {}), "unknown");
  for (const std::string nobody :
       {"", "nonsense", "unknown", "198.51.100.1, nonsense", "198.51.100.1,", "_hidden",
        "198.51.100.1, ", "[2001:db9::1", "[2001:db9::1]x", "198.51.100.256"}) {
    EXPECT_EQ(Found("10.0.0.1", {nobody}), "unknown") << nobody;
  }
}

TEST(ClientAddress, S4_PortsAndBracketsAreTakenOff) {
  EXPECT_EQ(Found("10.0.0.1", {"198.51.100.1:4711"}), "198.51.100.1");
  EXPECT_EQ(Found("10.0.0.1", {"[2001:db9::1]"}), "2001:db9::1");
  EXPECT_EQ(Found("10.0.0.1", {"[2001:db9::1]:4711"}), "2001:db9::1");
  EXPECT_EQ(Found("10.0.0.1", {"::ffff:198.51.100.1"}), "198.51.100.1");
}

TEST(ClientAddress, S4_UnixPeersAreTrustedOnlyIfToldSo) {
  EXPECT_EQ(Found("unix", {"198.51.100.1"}), "unknown");
  EXPECT_EQ(Found("unix", {"198.51.100.1"}, /*trusts_unix_peers=*/true), "198.51.100.1");
  EXPECT_EQ(Found("unix", {}, /*trusts_unix_peers=*/true), "unknown");
}

}  // namespace
}  // namespace p402::api
