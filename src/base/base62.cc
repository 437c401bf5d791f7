#include "base/base62.h"

#include <array>
#include <bit>
#include <cstring>

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

// [0]: the checksum's change by one byte. [k]: that by a byte with k more after it.
constexpr auto kCrcTables = [] {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t shorter = tables[k - 1][byte];
      tables[k][byte] = shorter >> 8 ^ tables[0][shorter & 0xff];
    }
  }
  return tables;
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
  int all = 0;
#pragma GCC unroll 8
  for (char c : text) all |= kValues[static_cast<uint8_t>(c)];
  return !text.empty() && all >= 0;
}

// Eight bytes in a step. zlib takes texts as short as a raw key byte by byte, and that costs more
// than the key's SHA-256.
uint32_t Crc32(std::string_view bytes) {
  static_assert(std::endian::native == std::endian::little);
  uint32_t crc = ~uint32_t{0};
  for (; bytes.size() >= sizeof(uint64_t); bytes.remove_prefix(sizeof(uint64_t))) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    word ^= crc;
    crc = 0;
#pragma GCC unroll 8
    for (size_t k = 0; k < sizeof word; ++k) crc ^= kCrcTables[7 - k][word >> 8 * k & 0xff];
  }
  for (char c : bytes) crc = crc >> 8 ^ kCrcTables[0][(crc ^ static_cast<uint8_t>(c)) & 0xff];
  return ~crc;
}

}  // namespace p402
