#include "net/chunk_decoder.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace p402::net {
namespace {

struct Outcome {
  ChunkDecoder::Kind kind = ChunkDecoder::Kind::kIncomplete;
  std::string body;
  std::string rest;
  std::optional<Refusal> refusal;
};

// Decodes the text in parts of `step` bytes.
Outcome Decode(const std::string& text, size_t step, size_t max_bytes = 65536) {
  Outcome outcome;
  ChunkDecoder decoder(max_bytes);
  for (size_t pos = 0; pos < text.size(); pos += step) {
    std::string part = text.substr(pos, step);
    const auto done = decoder.Decode(part);
    outcome.kind = done.kind;
    outcome.body += part.substr(0, done.produced);
    if (done.kind == ChunkDecoder::Kind::kRefused) outcome.refusal = done.error.refusal;
    if (done.kind != ChunkDecoder::Kind::kIncomplete) {
      outcome.rest = text.substr(pos + done.consumed);
      break;
    }
    EXPECT_EQ(done.consumed, part.size());
  }
  return outcome;
}

TEST(ChunkDecoder, DecodesWhateverTheSplit) {
  const std::string text =
      "5\r\nhello\r\n001;a=b;c=\"d;\te\"\r\n \r\nA\r\n0123456789\r\n0;x\r\n"
      "X-Trailer: a b\r\nY:\r\n\r\nGET / HTTP/1.1\r\n";
  for (size_t step = 1; step <= text.size(); ++step) {
    const Outcome outcome = Decode(text, step);
    EXPECT_EQ(outcome.kind, ChunkDecoder::Kind::kComplete) << step;
    EXPECT_EQ(outcome.body, "hello 0123456789");
    EXPECT_EQ(outcome.rest, "GET / HTTP/1.1\r\n");
  }
}

TEST(ChunkDecoder, B_RefusesBadChunks) {
  const std::vector<std::string> bad = {
      "0x5\r\nhello\r\n0\r\n\r\n",
      "5_\r\nhello\r\n0\r\n\r\n",
      "+5\r\nhello\r\n0\r\n\r\n",
      "-5\r\nhello\r\n0\r\n\r\n",
      " 5\r\nhello\r\n0\r\n\r\n",
      "5 \r\nhello\r\n0\r\n\r\n",
      "5\nhello\r\n0\r\n\r\n",
      "5\rhello\r\n0\r\n\r\n",
      "5\r\r\nhello\r\n0\r\n\r\n",
      "5;a\nhello\r\n0\r\n\r\n",
      "5;a\rb\r\nhello\r\n0\r\n\r\n",
      std::string("5;a\0b\r\nhello\r\n0\r\n\r\n", 19),
      "5\r\nhello\n0\r\n\r\n",
      "5\r\nhello\r0\r\n\r\n",
      "5\r\nhello0\r\n\r\n",
      "4\r\nhello\r\n0\r\n\r\n",
      "6\r\nhello\r\n0\r\n\r\n",
      "\r\nhello\r\n0\r\n\r\n",
      "g\r\nhello\r\n0\r\n\r\n",
      "000000005\r\nhello\r\n0\r\n\r\n",
      "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
      "0\r\nX\r\n\r\n",
      "0\r\nX Y: a\r\n\r\n",
      "0\r\n X: a\r\n\r\n",
      "0\r\n: a\r\n\r\n",
      "0\r\nX : a\r\n\r\n",
      "0\r\nX: a\n\r\n",
      "0\r\nX: a\x01\r\n\r\n",
      "0\r\n\n",
      "0\r\n\rx",
  };
  for (const std::string& text : bad) {
    for (const size_t step : {text.size(), size_t{1}, size_t{3}}) {
      const Outcome outcome = Decode(text, step);
      ASSERT_TRUE(outcome.refusal) << step << ": " << text;
      EXPECT_EQ(*outcome.refusal, Refusal::kBadFraming) << text;
    }
  }
}

TEST(ChunkDecoder, B_BodyLimitHoldsAtNAndNPlusOne) {
  EXPECT_EQ(Decode("5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n", 1000, 10).body, "hellohello");
  EXPECT_EQ(Decode("5\r\nhello\r\n6\r\n", 1000, 10).refusal, Refusal::kBodyTooLarge);
  EXPECT_EQ(Decode("b\r\n", 1, 10).refusal, Refusal::kBodyTooLarge);
  EXPECT_EQ(Decode("ffffffff\r\n", 1, 65536).refusal, Refusal::kBodyTooLarge);
}

TEST(ChunkDecoder, B_ExtensionsAndTrailersAreBounded) {
  EXPECT_EQ(Decode("0;" + std::string(4096, 'x') + "\r\n\r", 100).refusal, Refusal::kHeadTooLarge);
  EXPECT_EQ(Decode("0\r\nX: " + std::string(4097, 'x'), 100).refusal, Refusal::kHeadTooLarge);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "1;abcd\r\nx\r\n";
  EXPECT_EQ(Decode(many, 100).kind, ChunkDecoder::Kind::kIncomplete);
  many += "1;" + std::string(200, 'x') + "\r\n";
  EXPECT_EQ(Decode(many, 100).refusal, Refusal::kHeadTooLarge);
}

}  // namespace
}  // namespace p402::net
