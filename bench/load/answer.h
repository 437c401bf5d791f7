#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace p402::bench {

enum class AnswerState : uint8_t {
  kPartial,  // more bytes are needed
  kWhole,
  kBroken,  // no HTTP/1.1 answer with a Content-Length
};

// Lifetime: points into the bytes that were read.
struct Answer {
  int status = 0;
  std::string_view body;
  size_t size = 0;  // head and body
};

// Reads one answer from the front of `bytes`, as cheaply as a load program has to: of the head it
// looks at the status and Content-Length only.
AnswerState ReadAnswer(std::string_view bytes, Answer& answer);

}  // namespace p402::bench
