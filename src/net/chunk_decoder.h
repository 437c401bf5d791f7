#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "net/head_parser.h"

namespace p402::net {

// Decodes a chunked body (RFC 9112 section 7.1), strictly, as it arrives.
//
//   1a;name=value CRLF      size: 1 to 8 hexadecimal digits; extensions are read and dropped
//   <26 bytes> CRLF
//   0 CRLF
//   Name: value CRLF        trailers are checked and dropped
//   CRLF
class ChunkDecoder {
 public:
  enum class Kind : uint8_t { kIncomplete, kComplete, kRefused };
  struct Step {
    Kind kind = Kind::kIncomplete;
    size_t consumed = 0;   // of the input; all of it if kIncomplete
    size_t produced = 0;   // bytes written to the front of the input
    HeadError error = {};  // kRefused
  };

  explicit ChunkDecoder(size_t max_body_bytes = 0) : room_(max_body_bytes) {}

  // Decodes in place: the decoded bytes replace the front of `input`.
  // Errors: kBodyTooLarge as soon as a size goes beyond the limit; kHeadTooLarge for trailers and
  // extensions of more than 4 KiB together.
  Step Decode(std::span<char> input);

 private:
  enum class State : uint8_t {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailerName,
    kTrailerValue,
    kTrailerLf,
    kEndLf,
    kEnd,
  };
  // One byte that is not chunk data. False: refused, see error_.
  bool Take(char c);
  bool TakeSize(char c);
  bool TakeTrailer(char c);
  bool Expect(char c, char expected, State next, std::string_view detail);
  bool Refuse(Refusal refusal, std::string_view detail);
  bool CountOverhead();

  State state_ = State::kSize;
  int digits_ = 0;
  uint64_t chunk_left_ = 0;
  size_t room_;          // how much body may still come
  size_t overhead_ = 0;  // bytes of extensions and trailers
  HeadError error_ = {};
};

}  // namespace p402::net
