#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace p402::net {

constexpr char ToLowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

constexpr bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && ToLowerAscii(a[i]) != ToLowerAscii(b[i])) return false;
  }
  return true;
}

constexpr std::array<bool, 256> MakeCharacterSet(std::string_view punctuation) {
  std::array<bool, 256> set{};
  for (char c = '0'; c <= '9'; ++c) set[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) set[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) set[static_cast<unsigned char>(c)] = true;
  for (char c : punctuation) set[static_cast<unsigned char>(c)] = true;
  return set;
}

// RFC 9110 section 5.6.2: what a method and a header name are made of.
inline constexpr std::array<bool, 256> kTokenCharacters = MakeCharacterSet("!#$%&'*+-.^_`|~");

constexpr bool IsTokenCharacter(char c) {
  return kTokenCharacters[static_cast<unsigned char>(c)];
}
constexpr bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
// The only white space that HTTP knows inside a line.
constexpr bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}
constexpr bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

constexpr std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace p402::net
