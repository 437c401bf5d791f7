#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/text.h"

namespace {

// Reads one \uXXXX below U+10000 at the front of `json`, as AppendJsonString writes them.
char32_t TakeUnicodeEscape(std::string_view& json) {
  P402_CHECK(json.size() >= 4);
  const auto point = static_cast<char32_t>(std::stoul(std::string(json.substr(0, 4)), nullptr, 16));
  json.remove_prefix(4);
  return point;
}

void AppendUtf8(std::string& out, char32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else {
    out += static_cast<char>(0xe0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  }
}

// What a JSON reader makes of the string, quotes included.
std::string Unescape(std::string_view json) {
  P402_CHECK(json.size() >= 2 && json.front() == '"' && json.back() == '"');
  json = json.substr(1, json.size() - 2);
  std::string out;
  while (!json.empty()) {
    const char c = json.front();
    json.remove_prefix(1);
    P402_CHECK(c != '"');
    if (c != '\\') {
      out += c;
      continue;
    }
    P402_CHECK(!json.empty());
    const char escape = json.front();
    json.remove_prefix(1);
    constexpr std::string_view kEscapes = "\"\\nrt";
    constexpr std::string_view kMeanings = "\"\\\n\r\t";
    if (escape == 'u') {
      AppendUtf8(out, TakeUnicodeEscape(json));
    } else {
      P402_CHECK(kEscapes.find(escape) != kEscapes.npos);
      out += kMeanings[kEscapes.find(escape)];
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string json;
  p402::AppendJsonString(json, text);
  P402_CHECK(p402::IsValidUtf8(json) && !p402::HasControlCharacter(json));
  const std::string read = Unescape(json);
  P402_CHECK((read == text) == p402::IsValidUtf8(text));
  if (p402::IsValidUtf8(text)) P402_CHECK(p402::CountCodePoints(text) <= size);
  std::string decoded;
  P402_CHECK(p402::PercentDecode(p402::PercentEncode(text), decoded) && decoded == text);
  (void)p402::PercentDecode(text, decoded);
  return 0;
}
