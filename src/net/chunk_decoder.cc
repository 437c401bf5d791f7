#include "net/chunk_decoder.h"

#include <algorithm>
#include <cstring>

#include "net/ascii.h"

namespace p402::net {
namespace {

constexpr int kMaxSizeDigits = 8;
constexpr size_t kMaxOverhead = 4096;

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkDecoder::Step ChunkDecoder::Decode(std::span<char> input) {
  Step step;
  while (step.consumed < input.size() && state_ != State::kEnd) {
    if (state_ == State::kData) {
      const size_t count =
          static_cast<size_t>(std::min<uint64_t>(chunk_left_, input.size() - step.consumed));
      std::memmove(input.data() + step.produced, input.data() + step.consumed, count);
      step.produced += count;
      step.consumed += count;
      chunk_left_ -= count;
      if (chunk_left_ == 0) state_ = State::kDataCr;
      continue;
    }
    if (!Take(input[step.consumed++])) {
      step.kind = Kind::kRefused;
      step.error = error_;
      return step;
    }
  }
  if (state_ == State::kEnd) step.kind = Kind::kComplete;
  return step;
}

bool ChunkDecoder::Take(char c) {
  switch (state_) {
    case State::kSize:
      return TakeSize(c);
    case State::kExtension:
      if (c == '\r') {
        state_ = State::kSizeLf;
        return true;
      }
      if (IsControl(c) && c != '\t') return Refuse(Refusal::kBadFraming, "bad chunk extension");
      return CountOverhead();
    case State::kSizeLf:
      return Expect(c, '\n', chunk_left_ == 0 ? State::kTrailerStart : State::kData,
                    "a chunk size does not end in CRLF");
    case State::kDataCr:
      return Expect(c, '\r', State::kDataLf, "a chunk does not end where its size says");
    case State::kDataLf:
      digits_ = 0;
      return Expect(c, '\n', State::kSize, "a chunk does not end in CRLF");
    case State::kTrailerStart:
    case State::kTrailerName:
    case State::kTrailerValue:
      return CountOverhead() && TakeTrailer(c);
    case State::kTrailerLf:
      return Expect(c, '\n', State::kTrailerStart, "a trailer does not end in CRLF");
    case State::kEndLf:
      return Expect(c, '\n', State::kEnd, "the body does not end in CRLF");
    case State::kData:
    case State::kEnd:
      break;
  }
  return Refuse(Refusal::kBadFraming, "bad chunk");
}

bool ChunkDecoder::TakeSize(char c) {
  if (const int value = HexValue(c); value >= 0) {
    if (digits_ == kMaxSizeDigits) return Refuse(Refusal::kBadFraming, "a chunk size is too long");
    ++digits_;
    chunk_left_ = chunk_left_ * 16 + static_cast<uint64_t>(value);
    return true;
  }
  if (digits_ == 0 || (c != '\r' && c != ';')) {
    return Refuse(Refusal::kBadFraming, "a chunk size is not hexadecimal");
  }
  if (chunk_left_ > room_) return Refuse(Refusal::kBodyTooLarge, "the body is too large");
  room_ -= static_cast<size_t>(chunk_left_);
  state_ = c == ';' ? State::kExtension : State::kSizeLf;
  return true;
}

bool ChunkDecoder::TakeTrailer(char c) {
  if (state_ == State::kTrailerStart && c == '\r') {
    state_ = State::kEndLf;
    return true;
  }
  if (state_ == State::kTrailerValue) {
    if (c == '\r') {
      state_ = State::kTrailerLf;
      return true;
    }
    return !IsControl(c) || c == '\t' || Refuse(Refusal::kBadFraming, "bad trailer");
  }
  if (state_ == State::kTrailerName && c == ':') {
    state_ = State::kTrailerValue;
    return true;
  }
  state_ = State::kTrailerName;
  return IsTokenCharacter(c) || Refuse(Refusal::kBadFraming, "bad trailer");
}

bool ChunkDecoder::Expect(char c, char expected, State next, std::string_view detail) {
  if (c != expected) return Refuse(Refusal::kBadFraming, detail);
  state_ = next;
  return true;
}

bool ChunkDecoder::Refuse(Refusal refusal, std::string_view detail) {
  error_ = {.refusal = refusal, .detail = detail};
  return false;
}

bool ChunkDecoder::CountOverhead() {
  return ++overhead_ <= kMaxOverhead ||
         Refuse(Refusal::kHeadTooLarge, "chunk extensions and trailers are too long");
}

}  // namespace p402::net
