#include "base/typeid.h"

#include <bit>
#include <cstring>
#include <mutex>

#include "base/check.h"

namespace p402 {
namespace {

constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
__extension__ using Uint128 = unsigned __int128;

constexpr std::array<int8_t, 256> kValues = [] {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<uint8_t>(kAlphabet[i])] = static_cast<int8_t>(i);
  }
  return values;
}();

// What ten bits are written as.
constexpr auto kPairs = [] {
  std::array<std::array<char, 2>, 1024> pairs{};
  for (size_t i = 0; i < pairs.size(); ++i) pairs[i] = {kAlphabet[i >> 5], kAlphabet[i & 31]};
  return pairs;
}();

uint64_t BigEndian(const uint8_t* bytes) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return __builtin_bswap64(value);
}

std::optional<Uuid> DecodeSuffix(std::string_view suffix) {
  if (suffix.size() != kTypeIdSuffixBytes) return std::nullopt;
  Uint128 value = 0;
  for (size_t i = 0; i < kTypeIdSuffixBytes; ++i) {
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

std::string EncodeTypeId(std::string_view prefix, const Uuid& uuid) {
  P402_CHECK(IsValidTypeIdPrefix(prefix));
  std::string text(prefix);
  if (!prefix.empty()) text += '_';
  text.resize(text.size() + kTypeIdSuffixBytes);
  WriteTypeIdSuffix(uuid, text.data() + text.size() - kTypeIdSuffixBytes);
  return text;
}

// 130 bits, two zero bits before the UUID's 128, in three pieces of 10, 60 and 60: shifts of 128
// bits cost three times as much.
void WriteTypeIdSuffix(const Uuid& uuid, char* out) {
  const uint64_t high = BigEndian(uuid.data());
  const uint64_t low = BigEndian(uuid.data() + 8);
  const uint64_t middle = high << 4 | low >> 60;
  std::memcpy(out, kPairs[high >> 56].data(), 2);
#pragma GCC unroll 6
  for (size_t i = 0; i < 6; ++i) {
    std::memcpy(out + 2 + 2 * i, kPairs[middle >> (50 - 10 * i) & 1023].data(), 2);
    std::memcpy(out + 14 + 2 * i, kPairs[low >> (50 - 10 * i) & 1023].data(), 2);
  }
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
