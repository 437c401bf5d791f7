#include "key/metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>

#include "base/limits.h"
#include "base/text.h"

namespace p402::key {
namespace {

constexpr size_t kMaxDepth = limits::kJsonDepth - 1;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<uint32_t> HexOf(char c) {
  if (IsDigit(c)) return static_cast<uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint32_t>(c - 'A' + 10);
  return std::nullopt;
}

void AppendUtf8(std::string& out, uint32_t code) {
  const auto byte = [&](uint32_t bits) { out += static_cast<char>(bits); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      byte(0xE0 | code >> 12);
    } else {
      byte(0xF0 | code >> 18);
      byte(0x80 | (code >> 12 & 0x3F));
    }
    byte(0x80 | (code >> 6 & 0x3F));
  }
  byte(0x80 | (code & 0x3F));
}

// Reads one value after the other and writes each anew. Every function is false for what is no JSON.
// Requires: the text is UTF-8.
class Compactor {
 public:
  explicit Compactor(std::string_view text) : text_(text) {}

  bool Document() {
    Skip();
    if (!Object(1)) return false;
    Skip();
    return at_ == text_.size();
  }
  std::string TakeOut() { return std::move(out_); }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void Skip() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }
  bool Word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    out_ += word;
    return true;
  }

  // NOLINTNEXTLINE(misc-no-recursion): kMaxDepth levels
  bool Value(size_t depth) {
    switch (Peek()) {
      case '{':
        return Object(depth);
      case '[':
        return Array(depth);
      case '"': {
        const auto text = Text();
        if (text) AppendJsonString(out_, *text);
        return text.has_value();
      }
      case 't':
        return Word("true");
      case 'f':
        return Word("false");
      case 'n':
        return Word("null");
      default:
        return Number();
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  bool Object(size_t depth) {
    std::set<std::string, std::less<>> names;
    return List('{', '}', depth, [&] {
      auto name = Text();
      if (!name) return false;
      AppendJsonString(out_, *name);
      out_ += ':';
      Skip();
      if (!Take(':') || !names.insert(*std::move(name)).second) return false;
      Skip();
      return Value(depth + 1);
    });
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  bool Array(size_t depth) {
    return List('[', ']', depth, [&] { return Value(depth + 1); });
  }

  template <class Member>
  bool List(char open, char close, size_t depth, Member member) {
    if (depth > kMaxDepth || !Take(open)) return false;
    out_ += open;
    Skip();
    for (bool is_first = true; !Take(close); is_first = false) {
      if (!is_first) {
        if (!Take(',')) return false;
        out_ += ',';
        Skip();
      }
      if (!member()) return false;
      Skip();
    }
    out_ += close;
    return true;
  }

  // What the text says; nothing is written.
  std::optional<std::string> Text() {
    if (!Take('"')) return std::nullopt;
    std::string said;
    while (!Take('"')) {
      if (static_cast<unsigned char>(Peek()) < 0x20) return std::nullopt;  // also at the end
      if (Take('\\')) {
        if (!Escape(said)) return std::nullopt;
      } else {
        said += text_[at_++];
      }
    }
    return said;
  }

  bool Escape(std::string& said) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (Take('u')) return Unicode(said);
    const size_t which = at_ < text_.size() ? kNames.find(text_[at_]) : kNames.npos;
    if (which == kNames.npos) return false;
    said += kMeanings[which];
    ++at_;
    return true;
  }

  bool Unicode(std::string& said) {
    auto code = FourDigits();
    if (!code || (*code >= 0xDC00 && *code < 0xE000)) return false;
    if (*code >= 0xD800 && *code < 0xDC00) {
      const bool has_second = Take('\\') && Take('u');
      const auto second = has_second ? FourDigits() : std::nullopt;
      if (!second || *second < 0xDC00 || *second >= 0xE000) return false;
      code = 0x10000 + ((*code - 0xD800) << 10) + (*second - 0xDC00);
    }
    AppendUtf8(said, *code);
    return true;
  }

  std::optional<uint32_t> FourDigits() {
    uint32_t code = 0;
    for (int i = 0; i < 4; ++i) {
      const auto digit = HexOf(Peek());
      if (!digit) return std::nullopt;
      code = code << 4 | *digit;
      ++at_;
    }
    return code;
  }

  bool Digits() {
    if (!IsDigit(Peek())) return false;
    while (IsDigit(Peek())) ++at_;
    return true;
  }

  bool Number() {
    const size_t begin = at_;
    Take('-');
    if (!Take('0') && !Digits()) return false;
    if (Take('.') && !Digits()) return false;
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      if (!Digits()) return false;
    }
    out_ += text_.substr(begin, at_ - begin);
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

Result<std::string> CompactMetadata(std::string_view json) {
  Compactor compactor(json);
  if (!IsValidUtf8(json) || !compactor.Document()) {
    return InvalidArgument("metadata",
                           fmt::format("metadata must be a JSON object in UTF-8, at most {} levels "
                                       "deep, without a name twice",
                                       kMaxDepth));
  }
  std::string compact = compactor.TakeOut();
  if (compact.size() <= limits::kMetadataBytes) return compact;
  return InvalidArgument(
      "metadata", fmt::format("metadata must be at most {} bytes of JSON", limits::kMetadataBytes));
}

}  // namespace p402::key
