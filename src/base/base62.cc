#include "base/base62.h"

#include <zlib.h>

#include <array>

#include "base/check.h"

namespace p402 {
namespace {

constexpr std::array<int8_t, 256> kValues = [] {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (size_t i = 0; i < kBase62Alphabet.size(); ++i) {
    values[static_cast<uint8_t>(kBase62Alphabet[i])] = static_cast<int8_t>(i);
  }
  return values;
}();

}  // namespace

std::string EncodeBase62(uint64_t value, size_t width) {
  std::string text(width, '0');
  for (size_t i = width; i > 0 && value > 0; --i) {
    text[i - 1] = kBase62Alphabet[value % 62];
    value /= 62;
  }
  P402_CHECK(value == 0);
  return text;
}

std::optional<uint64_t> DecodeBase62(std::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    const int digit = kValues[static_cast<uint8_t>(c)];
    if (digit < 0) return std::nullopt;
    if (__builtin_mul_overflow(value, uint64_t{62}, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, static_cast<uint64_t>(digit), &value)) return std::nullopt;
  }
  return value;
}

bool IsBase62(std::string_view text) {
  for (char c : text) {
    if (kValues[static_cast<uint8_t>(c)] < 0) return false;
  }
  return !text.empty();
}

uint32_t Crc32(std::string_view bytes) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace p402
