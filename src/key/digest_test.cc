#include "key/digest.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <string>
#include <thread>
#include <vector>

namespace p402::key {
namespace {

// FIPS 180-4 examples, as in NIST's "Cryptographic Standards and Guidelines: Examples with
// Intermediate Values".
TEST(Digest, IsSha256) {
  EXPECT_EQ(ToHex(DigestOf("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ToHex(DigestOf("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(DigestOf("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(ParseDigest, S1_SixtyFourHexDigits) {
  const Digest digest = DigestOf("abc");
  EXPECT_EQ(ParseDigest(ToHex(digest)), digest);
  const std::string hex(64, 'A');
  ASSERT_TRUE(ParseDigest(hex));
  EXPECT_EQ((*ParseDigest(hex))[31], 0xAA);
  for (const std::string& bad : {std::string(), hex.substr(1), hex + "a", "g" + hex.substr(1),
                                 "-" + hex.substr(1), " " + hex.substr(1)}) {
    EXPECT_FALSE(ParseDigest(bad)) << bad;
  }
}

TEST(Digest, IsOpenSslsForShortAndLongTexts) {
  std::string text;
  for (int size = 0; size < 200; ++size) {
    Digest expected;
    ASSERT_EQ(EVP_Digest(text.data(), text.size(), expected.data(), nullptr, EVP_sha256(), nullptr),
              1);
    EXPECT_EQ(DigestOf(text), expected) << size;
    text += static_cast<char>(size * 7 + 1);
  }
}

TEST(Digest, IsTheSameOnEveryThread) {
  const Digest expected = DigestOf("abc");
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1'000; ++n) ASSERT_EQ(DigestOf("abc"), expected);
    });
  }
}

}  // namespace
}  // namespace p402::key
