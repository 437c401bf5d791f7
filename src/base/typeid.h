#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/pen.h"
#include "base/random.h"

namespace p402 {

using Uuid = std::array<uint8_t, 16>;

// TypeID 0.3.0 (https://github.com/jetify-com/typeid/tree/main/spec): prefix, '_', 26 characters of
// lower-case Crockford base32 of a UUID; no separator with an empty prefix.
struct TypeIdParts {
  std::string_view prefix;
  Uuid uuid;
};
constexpr bool IsValidTypeIdPrefix(std::string_view prefix) {
  if (prefix.size() > 63 || prefix.starts_with('_') || prefix.ends_with('_')) return false;
  return std::all_of(prefix.begin(), prefix.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}
// Requires: IsValidTypeIdPrefix(prefix).
std::string EncodeTypeId(std::string_view prefix, const Uuid& uuid);
// The 26 characters of the UUID alone.
void WriteTypeIdSuffix(const Uuid& uuid, char* out);
inline constexpr size_t kTypeIdSuffixBytes = 26;
// Errors: nullopt for every text that the specification forbids. Accepts every UUID version.
std::optional<TypeIdParts> DecodeTypeId(std::string_view text);

// Makes UUIDv7 (RFC 9562) that grow within one generator, also within a millisecond and when the
// clock steps back: the 12 bits after the version count up from a random start (method 1 of section
// 6.2).
// Threads: safe to call concurrently.
class Uuid7Generator {
 public:
  Uuid7Generator(const Clock& clock, Random& random);
  ~Uuid7Generator();
  Uuid Next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

template <size_t N>
struct FixedString {
  constexpr FixedString(const char (&text)[N]) { std::copy_n(text, N, value); }  // NOLINT: implicit
  char value[N];
  constexpr std::string_view view() const { return {value, N - 1}; }
};

// A TypeID whose prefix is part of the type, so that ids of two kinds do not mix.
template <FixedString kPrefix>
struct TypedId {
  Uuid uuid{};

  static constexpr std::string_view prefix() { return kPrefix.view(); }
  static std::optional<TypedId> Parse(std::string_view text) {
    auto parts = DecodeTypeId(text);
    if (!parts || parts->prefix != prefix()) return std::nullopt;
    return TypedId{parts->uuid};
  }
  static TypedId New(Uuid7Generator& generator) { return TypedId{generator.Next()}; }
  std::string ToString() const { return EncodeTypeId(prefix(), uuid); }
  static constexpr size_t size() { return kPrefix.view().size() + 1 + kTypeIdSuffixBytes; }
  void WriteTo(Pen& pen) const {
    static_assert(IsValidTypeIdPrefix(kPrefix.view()) && !kPrefix.view().empty());
    pen.Text(prefix());
    pen.Character('_');
    WriteTypeIdSuffix(uuid, pen.Take(kTypeIdSuffixBytes));
  }
  bool is_nil() const { return uuid == Uuid{}; }
  auto operator<=>(const TypedId&) const = default;
};

}  // namespace p402
