// The decoder stays within its limit, and how the bytes are split into packets changes nothing.
#include <algorithm>
#include <string>

#include "base/check.h"
#include "net/chunk_decoder.h"

namespace {

using p402::net::ChunkDecoder;

constexpr size_t kMaxBody = 256;

struct Outcome {
  ChunkDecoder::Kind kind = ChunkDecoder::Kind::kIncomplete;
  p402::net::Refusal refusal{};
  std::string body;
  size_t consumed = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome Decode(const std::string& text, size_t step) {
  Outcome outcome;
  ChunkDecoder decoder(kMaxBody);
  while (outcome.consumed < text.size() && outcome.kind == ChunkDecoder::Kind::kIncomplete) {
    std::string part = text.substr(outcome.consumed, step);
    const auto done = decoder.Decode(part);
    P402_CHECK(done.produced <= done.consumed && done.consumed <= part.size());
    outcome.kind = done.kind;
    outcome.refusal = done.error.refusal;
    outcome.body += part.substr(0, done.produced);
    outcome.consumed += done.consumed;
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Outcome whole = Decode(text, std::max<size_t>(size, 1));
  P402_CHECK(whole.body.size() <= kMaxBody);
  for (const size_t step : {1, 3, 16}) P402_CHECK(Decode(text, step) == whole);
  return 0;
}
