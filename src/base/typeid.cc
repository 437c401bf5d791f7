#include "base/typeid.h"

#include <mutex>

#include "base/check.h"

namespace p402 {
namespace {

constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr size_t kSuffixLength = 26;  // 130 bits: two zero bits, then the UUID's 128
constexpr size_t kMaxPrefix = 63;
__extension__ using Uint128 = unsigned __int128;

constexpr std::array<int8_t, 256> kValues = [] {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<uint8_t>(kAlphabet[i])] = static_cast<int8_t>(i);
  }
  return values;
}();

uint64_t BigEndian(const uint8_t* bytes) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | bytes[i];
  return value;
}

// In three pieces, of 8, 60 and 60 bits: shifts of 128 bits cost three times as much.
void EncodeSuffix(const Uuid& uuid, std::array<char, kSuffixLength>& out) {
  const uint64_t high = BigEndian(uuid.data());
  uint64_t low = BigEndian(uuid.data() + 8);
  uint64_t middle = high << 4 | low >> 60;
  out[0] = kAlphabet[high >> 61];
  out[1] = kAlphabet[high >> 56 & 31];
  for (size_t i = 0; i < 12; ++i) {
    out[13 - i] = kAlphabet[middle & 31];
    out[25 - i] = kAlphabet[low & 31];
    middle >>= 5;
    low >>= 5;
  }
}

std::optional<Uuid> DecodeSuffix(std::string_view suffix) {
  if (suffix.size() != kSuffixLength) return std::nullopt;
  Uint128 value = 0;
  for (size_t i = 0; i < kSuffixLength; ++i) {
    const int digit = kValues[static_cast<uint8_t>(suffix[i])];
    if (digit < 0 || (i == 0 && digit > 7)) return std::nullopt;
    value = value << 5 | static_cast<unsigned>(digit);
  }
  Uuid uuid;
  for (size_t i = uuid.size(); i > 0; --i) {
    uuid[i - 1] = static_cast<uint8_t>(value);
    value >>= 8;
  }
  return uuid;
}

}  // namespace

bool IsValidTypeIdPrefix(std::string_view prefix) {
  if (prefix.size() > kMaxPrefix) return false;
  if (prefix.starts_with('_') || prefix.ends_with('_')) return false;
  return std::all_of(prefix.begin(), prefix.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

std::string EncodeTypeId(std::string_view prefix, const Uuid& uuid) {
  std::string text;
  AppendTypeId(prefix, uuid, text);
  return text;
}

void AppendTypeId(std::string_view prefix, const Uuid& uuid, std::string& out) {
  P402_CHECK(IsValidTypeIdPrefix(prefix));
  std::array<char, kSuffixLength> suffix;
  EncodeSuffix(uuid, suffix);
  out.append(prefix);
  if (!prefix.empty()) out += '_';
  out.append(suffix.data(), suffix.size());
}

std::optional<TypeIdParts> DecodeTypeId(std::string_view text) {
  std::string_view prefix;
  std::string_view suffix = text;
  if (const size_t separator = text.rfind('_'); separator != std::string_view::npos) {
    if (separator == 0) return std::nullopt;  // an empty prefix has no separator
    prefix = text.substr(0, separator);
    suffix = text.substr(separator + 1);
  }
  if (!IsValidTypeIdPrefix(prefix)) return std::nullopt;
  const auto uuid = DecodeSuffix(suffix);
  if (!uuid) return std::nullopt;
  return TypeIdParts{.prefix = prefix, .uuid = *uuid};
}

struct Uuid7Generator::Impl {
  const Clock& clock;
  Random& random;
  std::mutex mutex;
  int64_t last_ms = -1;
  uint16_t counter = 0;
};

Uuid7Generator::Uuid7Generator(const Clock& clock, Random& random)
    : impl_(new Impl{.clock = clock, .random = random, .mutex = {}}) {}

Uuid7Generator::~Uuid7Generator() = default;

Uuid Uuid7Generator::Next() {
  Uuid uuid;
  impl_->random.Fill(uuid);
  std::lock_guard lock(impl_->mutex);
  const int64_t now_ms = impl_->clock.Now().time_since_epoch().count();
  if (now_ms > impl_->last_ms) {
    impl_->last_ms = now_ms;
    // The top bit starts as 0, so that at least 2048 more fit into this millisecond.
    impl_->counter = static_cast<uint16_t>((uuid[6] << 8 | uuid[7]) & 0x7ff);
  } else if (++impl_->counter > 0xfff) {
    ++impl_->last_ms;  // RFC 9562 6.2: borrow from the next millisecond
    impl_->counter = 0;
  }
  for (int i = 0; i < 6; ++i) uuid[i] = static_cast<uint8_t>(impl_->last_ms >> (40 - 8 * i));
  uuid[6] = static_cast<uint8_t>(0x70 | impl_->counter >> 8);
  uuid[7] = static_cast<uint8_t>(impl_->counter);
  uuid[8] = static_cast<uint8_t>(0x80 | (uuid[8] & 0x3f));
  return uuid;
}

}  // namespace p402
