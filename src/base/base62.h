#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace p402 {

inline constexpr std::string_view kBase62Alphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// The value in base62, left-padded with '0' to `width`.
// Requires: the value fits.
std::string EncodeBase62(uint64_t value, size_t width);
// Errors: nullopt for an empty text, another character, or an overflow of 64 bits.
std::optional<uint64_t> DecodeBase62(std::string_view text);
bool IsBase62(std::string_view text);

// CRC-32 as in zlib and ISO-HDLC (polynomial 0xEDB88320 reflected).
uint32_t Crc32(std::string_view bytes);

}  // namespace p402
