#pragma once

#include <string>
#include <string_view>

#include "base/pen.h"

namespace p402 {

// Appends `text` to `out` as a JSON string with its quotes (RFC 8259 section 7): the escapes that
// are required, and U+2028 and U+2029. Bytes that are not UTF-8 become U+FFFD, so that a log line
// or an answer stays valid JSON.
void AppendJsonString(std::string& out, std::string_view text);
// The same, into room of at most JsonStringBound(text) bytes.
void WriteJsonString(Pen& pen, std::string_view text);
constexpr size_t JsonStringBound(std::string_view text) {
  return 6 * text.size() + 2;
}

// True if `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates).
bool IsValidUtf8(std::string_view text);
// The number of code points.
// Requires: IsValidUtf8(text).
size_t CountCodePoints(std::string_view text);
// True if `text` has a control character: C0, DEL, C1, or a line or paragraph separator.
// Requires: IsValidUtf8(text).
bool HasControlCharacter(std::string_view text);

// `text` with every byte but RFC 3986's unreserved ones as %XX.
std::string PercentEncode(std::string_view text);
// The same, into room of at most PercentEncodedBound(text) bytes.
void WritePercentEncoded(Pen& pen, std::string_view text);
constexpr size_t PercentEncodedBound(std::string_view text) {
  return 3 * text.size();
}
// Errors: false, and `out` unspecified, for a broken escape. '+' is not a space.
bool PercentDecode(std::string_view text, std::string& out);

}  // namespace p402
