#include "key/digest.h"

#include <gtest/gtest.h>

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

TEST(Digest, IsTheSameForShortAndLongTexts) {
  Hasher hasher;
  std::string text;
  for (int size = 0; size < 200; ++size) {
    EXPECT_EQ(DigestOf(text), hasher.Hash(text)) << size;
    text += static_cast<char>(size * 7 + 1);
  }
}

TEST(Digest, AHasherIsReusable) {
  Hasher hasher;
  const Digest first = hasher.Hash("abc");
  hasher.Hash(std::string(1000, 'x'));
  EXPECT_EQ(hasher.Hash("abc"), first);
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
