#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace p402 {
namespace {

// Decodes one code point of well-formed UTF-8 at the front of `text`. Returns its length, 0 if it
// is not well-formed.
//
//   0xxxxxxx                             U+0000  to U+007F
//   110xxxxx 10xxxxxx                    U+0080  to U+07FF
//   1110xxxx 10xxxxxx 10xxxxxx           U+0800  to U+FFFF without surrogates
//   11110xxx 10xxxxxx 10xxxxxx 10xxxxxx  U+10000 to U+10FFFF
size_t DecodeOne(std::string_view text, char32_t& point) {
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) {
    point = first;
    return 1;
  }
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  point = first & (0x7f >> length);
  for (size_t i = 1; i < length; ++i) {
    const auto next = static_cast<uint8_t>(text[i]);
    if ((next & 0xc0) != 0x80) return 0;
    point = point << 6 | (next & 0x3f);
  }
  const bool is_overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
  const bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
  return is_overlong || is_surrogate || point > 0x10ffff ? 0 : length;
}

bool IsControl(char32_t point) {
  return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0x2028 || point == 0x2029;
}

void WriteEscaped(Pen& pen, char32_t point, std::string_view bytes) {
  switch (point) {
    case '"':
      return pen.Text("\\\"");
    case '\\':
      return pen.Text("\\\\");
    case '\n':
      return pen.Text("\\n");
    case '\r':
      return pen.Text("\\r");
    case '\t':
      return pen.Text("\\t");
    default:
      break;
  }
  if (!IsControl(point)) return pen.Text(bytes);
  constexpr size_t kEscapeBytes = 6;
  fmt::format_to(pen.Take(kEscapeBytes), "\\u{:04x}", static_cast<uint32_t>(point));
}

// What a JSON string holds as it is, up to the first byte that has to be looked at.
size_t CountPlain(std::string_view text) {
  const auto is_plain = [](char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; };
  return static_cast<size_t>(std::ranges::find_if_not(text, is_plain) - text.begin());
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) {
  const size_t before = out.size();
  out.resize(before + JsonStringBound(text));
  Pen pen(std::span<char>(out).subspan(before));
  WriteJsonString(pen, text);
  out.resize(before + pen.size());
}

void WriteJsonString(Pen& pen, std::string_view text) {
  pen.Character('"');
  while (!text.empty()) {
    if (const size_t plain = CountPlain(text); plain > 0) {
      pen.Text(text.substr(0, plain));
      text.remove_prefix(plain);
      continue;
    }
    char32_t point = 0;
    const size_t length = DecodeOne(text, point);
    if (length == 0) {
      pen.Text("\xef\xbf\xbd");
      text.remove_prefix(1);
      continue;
    }
    WriteEscaped(pen, point, text.substr(0, length));
    text.remove_prefix(length);
  }
  pen.Character('"');
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    char32_t point = 0;
    const size_t length = DecodeOne(text, point);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

size_t CountCodePoints(std::string_view text) {
  size_t count = 0;
  for (char c : text) count += (static_cast<uint8_t>(c) & 0xc0) != 0x80;
  return count;
}

bool HasControlCharacter(std::string_view text) {
  while (!text.empty()) {
    char32_t point = 0;
    const size_t length = DecodeOne(text, point);
    if (length == 0 || IsControl(point)) return true;
    text.remove_prefix(length);
  }
  return false;
}

std::string PercentEncode(std::string_view text) {
  std::string out(PercentEncodedBound(text), '\0');
  Pen pen(out);
  WritePercentEncoded(pen, text);
  out.resize(pen.size());
  return out;
}

void WritePercentEncoded(Pen& pen, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    if (IsUnreserved(c)) {
      pen.Character(c);
      continue;
    }
    const auto byte = static_cast<uint8_t>(c);
    const std::array escape = {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    pen.Text({escape.data(), escape.size()});
  }
}

bool PercentDecode(std::string_view text, std::string& out) {
  out.clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return false;
    const int high = HexValue(text[i + 1]);
    const int low = HexValue(text[i + 2]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return true;
}

}  // namespace p402
