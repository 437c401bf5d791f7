#include "key/raw_key.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>

#include "base/base62.h"
#include "base/limits.h"

namespace p402::key {
namespace {

constexpr size_t kTail = limits::kRawKeyRandom + limits::kRawKeyChecksum;
constexpr size_t kShownRandom = 6;

bool IsBrand(std::string_view brand) {
  return brand.size() >= limits::kBrandMinBytes && brand.size() <= limits::kBrandMaxBytes &&
         std::all_of(brand.begin(), brand.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

// Appends uniform base62 characters. 248 is the largest multiple of 62 that fits a byte: a byte at
// or above it would favour the first eight characters, so it is thrown away (K2).
void AppendUniform(Random& random, size_t count, std::string& text) {
  std::array<uint8_t, 64> bytes;
  while (count > 0) {
    random.Fill(bytes);
    for (uint8_t byte : bytes) {
      if (count == 0) break;
      if (byte >= 248) continue;
      text += kBase62Alphabet[byte % 62];
      --count;
    }
  }
  OPENSSL_cleanse(bytes.data(), bytes.size());
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

std::string_view ModeName(Mode mode) {
  return mode == Mode::kLive ? "live" : "test";
}

std::optional<Mode> ParseMode(std::string_view name) {
  if (name == "live") return Mode::kLive;
  if (name == "test") return Mode::kTest;
  return std::nullopt;
}

Status CheckBrand(std::string_view brand) {
  if (IsBrand(brand)) return {};
  return InvalidArgument("brand", "must be 2 to 10 lower-case letters and digits");
}

Secret GenerateRawKey(Random& random, std::string_view brand, Mode mode) {
  std::string text;
  text.reserve(limits::kRawKeyMaxBytes + 1);  // never reallocated: no copy is left behind
  text.append(brand).append("_").append(ModeName(mode)).append("_");
  AppendUniform(random, limits::kRawKeyRandom, text);
  text += EncodeBase62(Crc32(text), limits::kRawKeyChecksum);
  return Secret(std::move(text));
}

std::optional<RawKeyParts> ParseRawKey(std::string_view text, std::string_view brand) {
  std::string_view rest = text;
  if (!TakePrefix(rest, brand) || !TakePrefix(rest, "_")) return std::nullopt;
  const auto mode = ParseMode(rest.substr(0, 4));
  if (!mode) return std::nullopt;
  rest.remove_prefix(4);
  if (!TakePrefix(rest, "_") || rest.size() != kTail || !IsBase62(rest)) return std::nullopt;
  const auto checksum = DecodeBase62(rest.substr(limits::kRawKeyRandom));
  const std::string_view covered = text.substr(0, text.size() - limits::kRawKeyChecksum);
  if (!checksum || *checksum != Crc32(covered)) return std::nullopt;
  return RawKeyParts{.mode = *mode, .prefix = text.substr(0, text.size() - kTail + kShownRandom)};
}

}  // namespace p402::key
