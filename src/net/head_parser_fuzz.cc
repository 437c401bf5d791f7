// Accepted heads keep their promises, and how the bytes are split into packets changes nothing.
#include <algorithm>
#include <string>

#include "base/check.h"
#include "net/ascii.h"
#include "net/head_parser.h"

namespace p402::net {
namespace {

constexpr HeadLimits kLimits{.head_bytes = 512, .target_bytes = 128, .header_count = 8};

HeadEnd FindInSteps(std::string_view text, size_t step) {
  HeadProgress progress;
  HeadEnd end;
  for (size_t given = 0; given < text.size() && end.kind == HeadEnd::Kind::kIncomplete;) {
    given = std::min(given + step, text.size());
    end = FindHeadEnd(text.substr(0, given), kLimits, progress);
  }
  return end;
}

bool IsClean(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return IsControl(c) && c != '\t'; });
}

void CheckAccepted(const Head& head) {
  size_t hosts = 0;
  size_t lengths = 0;
  size_t encodings = 0;
  P402_CHECK(head.headers.size() <= kLimits.header_count);
  for (const HeaderView& header : head.headers) {
    P402_CHECK(!header.name.empty());
    P402_CHECK(std::all_of(header.name.begin(), header.name.end(), IsTokenCharacter));
    P402_CHECK(IsClean(header.value) && TrimBlanks(header.value) == header.value);
    hosts += EqualsIgnoreCase(header.name, "host") ? 1 : 0;
    lengths += EqualsIgnoreCase(header.name, "content-length") ? 1 : 0;
    encodings += EqualsIgnoreCase(header.name, "transfer-encoding") ? 1 : 0;
  }
  P402_CHECK(hosts == 1 || (hosts == 0 && head.version_minor == 0));
  P402_CHECK(lengths + encodings <= 1);
  P402_CHECK((lengths == 1) == (head.body == BodyKind::kLength));
  P402_CHECK((encodings == 1) == (head.body == BodyKind::kChunked));
  P402_CHECK(!head.target.empty() && head.target.size() <= kLimits.target_bytes);
  P402_CHECK(head.target.find_first_of(" \t#") == std::string_view::npos && IsClean(head.target));
  P402_CHECK(head.path.size() + head.query.size() <= head.target.size());
  P402_CHECK(head.version_minor == 0 || head.version_minor == 1);
}

}  // namespace
}  // namespace p402::net

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace p402::net;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const HeadEnd whole = FindInSteps(text, std::max<size_t>(size, 1));
  for (const size_t step : {1, 2, 7, 64}) {
    const HeadEnd parts = FindInSteps(text, step);
    P402_CHECK(parts.bytes == whole.bytes || parts.kind == HeadEnd::Kind::kRefused);
    // Byte by byte a bad request line or a limit may be seen earlier, never a good head be refused:
    // what is complete at once and accepted is accepted in parts.
    if (whole.kind == HeadEnd::Kind::kComplete && parts.kind == HeadEnd::Kind::kRefused) {
      Head head;
      P402_CHECK(ParseHead(text.substr(0, whole.bytes), kLimits, head).has_value());
    }
    if (whole.kind == HeadEnd::Kind::kRefused) P402_CHECK(parts.kind == HeadEnd::Kind::kRefused);
  }
  if (whole.kind != HeadEnd::Kind::kComplete) return 0;
  P402_CHECK(whole.bytes <= kLimits.head_bytes);
  Head head;
  if (!ParseHead(text.substr(0, whole.bytes), kLimits, head)) CheckAccepted(head);
  return 0;
}
