#include "index/facts.h"

#include <bit>
#include <cstring>
#include <type_traits>

#include "base/check.h"

namespace p402::index {
namespace {

constexpr uint8_t kExpires = 1;
constexpr uint8_t kRevoked = 2;
constexpr uint8_t kRotated = 4;
constexpr uint8_t kByKey = 8;

constexpr int kTexts = 6;
constexpr size_t kPartsAt = 4;
constexpr size_t kCidrCountAt = 5;
constexpr size_t kActorKindAt = 6;
constexpr size_t kVersionAt = 8;
constexpr size_t kCreatedAt = 16;
constexpr size_t kOptionalAt = 24;

static_assert(sizeof(key::Cidr) == 17 && alignof(key::Cidr) == 1 &&
              std::is_trivially_copyable_v<key::Cidr>);

template <class T>
T Load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <class T>
void Append(std::string& out, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void AppendTime(std::string& out, WallTime time) {
  Append(out, int64_t{time.time_since_epoch().count()});
}
void AppendText(std::string& out, std::string_view text) {
  size_t size = text.size();
  for (; size >= 0x80; size >>= 7) out += static_cast<char>(size | 0x80);
  out += static_cast<char>(size);
  out += text;
}

// Takes what the Append functions wrote.
class Cursor {
 public:
  explicit Cursor(const std::byte* at) : at_(at) {}
  template <class T>
  T Take() {
    const T value = Load<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  WallTime Time() { return WallTime(Millis(Take<int64_t>())); }
  std::span<const key::Cidr> Cidrs(size_t count) {
    const auto* first = reinterpret_cast<const key::Cidr*>(at_);
    at_ += count * sizeof(key::Cidr);
    return {first, count};
  }
  std::string_view Text() {
    size_t size = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = Take<uint8_t>();
      size |= size_t{byte & 0x7fu} << shift;
      if (byte < 0x80) break;
    }
    const auto* first = reinterpret_cast<const char*>(at_);
    at_ += size;
    return {first, size};
  }

 private:
  const std::byte* at_;
};

// Takes the length of a text from the front, as AppendText writes it. nullopt: there is none.
std::optional<size_t> TextSize(std::span<const std::byte>& bytes) {
  size_t size = 0;
  for (unsigned shift = 0; shift < 28 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes.front());
    bytes = bytes.subspan(1);
    size |= size_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return size;
  }
  return std::nullopt;
}

// A key's id is kept as 16 bytes, if its text is how such an id is written.
std::optional<key::KeyId> KeyOf(const key::Actor& actor) {
  if (actor.kind != key::ActorKind::kKey) return std::nullopt;
  auto id = key::KeyId::Parse(actor.id);
  if (id && id->ToString() != actor.id) id.reset();
  return id;
}

}  // namespace

void EncodeFacts(const key::Record& record, std::string& out) {
  const auto creator = KeyOf(record.created_by);
  const auto& cidrs = record.allowed_cidrs.values();
  P402_CHECK(cidrs.size() <= UINT8_MAX);
  const int parts = (record.expires_at ? kExpires : 0) | (record.revoked_at ? kRevoked : 0) |
                    (record.rotated_from ? kRotated : 0) | (creator ? kByKey : 0);
  out.clear();
  Append(out, uint32_t{0});
  out += static_cast<char>(parts);
  out += static_cast<char>(cidrs.size());
  out += static_cast<char>(record.created_by.kind);
  out += '\0';
  Append(out, record.version);
  AppendTime(out, record.created_at);
  if (record.expires_at) AppendTime(out, *record.expires_at);
  if (record.revoked_at) AppendTime(out, *record.revoked_at);
  if (record.rotated_from) Append(out, record.rotated_from->uuid);
  for (const key::Cidr& cidr : cidrs) Append(out, cidr);
  if (creator) Append(out, creator->uuid);
  const std::string_view created_by = creator ? std::string_view() : record.created_by.id;
  for (const std::string_view text :
       {std::string_view(record.prefix), std::string_view(record.name),
        std::string_view(record.owner), std::string_view(record.metadata),
        std::string_view(record.revoke_reason), created_by}) {
    AppendText(out, text);
  }
  const auto size = static_cast<uint32_t>(out.size());
  std::memcpy(out.data(), &size, sizeof size);
}

Facts ReadFacts(const std::byte* bytes) {
  const auto parts = Load<uint8_t>(bytes + kPartsAt);
  Facts facts;
  facts.version = VersionIn(bytes);
  facts.created_at = WallTime(Millis(Load<int64_t>(bytes + kCreatedAt)));
  facts.created_by_kind = Load<key::ActorKind>(bytes + kActorKindAt);
  Cursor cursor(bytes + kOptionalAt);
  if (parts & kExpires) facts.expires_at = cursor.Time();
  if (parts & kRevoked) facts.revoked_at = cursor.Time();
  if (parts & kRotated) facts.rotated_from = key::KeyId{cursor.Take<Uuid>()};
  facts.allowed_cidrs = cursor.Cidrs(Load<uint8_t>(bytes + kCidrCountAt));
  if (parts & kByKey) facts.created_by_key = key::KeyId{cursor.Take<Uuid>()};
  for (std::string_view* text : {&facts.prefix, &facts.name, &facts.owner, &facts.metadata,
                                 &facts.revoke_reason, &facts.created_by}) {
    *text = cursor.Text();
  }
  return facts;
}

uint32_t FactsSize(const std::byte* bytes) {
  return Load<uint32_t>(bytes);
}

int64_t VersionIn(const std::byte* bytes) {
  return Load<int64_t>(bytes + kVersionAt);
}

WallTime ExpiryIn(const std::byte* bytes) {
  return WallTime(Millis(Load<int64_t>(bytes + kOptionalAt)));
}

std::span<const key::Cidr> CidrsIn(const std::byte* bytes) {
  const auto parts = Load<uint8_t>(bytes + kPartsAt);
  size_t at = kOptionalAt;
  if (parts & kExpires) at += sizeof(int64_t);
  if (parts & kRevoked) at += sizeof(int64_t);
  if (parts & kRotated) at += sizeof(Uuid);
  return Cursor(bytes + at).Cidrs(Load<uint8_t>(bytes + kCidrCountAt));
}

bool ExpiresIn(const std::byte* bytes) {
  return (Load<uint8_t>(bytes + kPartsAt) & kExpires) != 0;
}

bool RevokedIn(const std::byte* bytes) {
  return (Load<uint8_t>(bytes + kPartsAt) & kRevoked) != 0;
}

bool AreFacts(std::span<const std::byte> bytes) {
  if (bytes.size() < kOptionalAt || FactsSize(bytes.data()) != bytes.size()) return false;
  const auto parts = Load<uint8_t>(bytes.data() + kPartsAt);
  const auto kind = Load<uint8_t>(bytes.data() + kActorKindAt);
  const auto pad = Load<uint8_t>(bytes.data() + kActorKindAt + 1);
  if (parts > (kExpires | kRevoked | kRotated | kByKey) || pad != 0) return false;
  if (kind < uint8_t(key::ActorKind::kKey) || kind > uint8_t(key::ActorKind::kSystem)) return false;
  if ((parts & kByKey) != 0 && kind != uint8_t(key::ActorKind::kKey)) return false;
  const size_t cidrs = Load<uint8_t>(bytes.data() + kCidrCountAt);
  const size_t fixed = std::popcount(unsigned(parts & (kExpires | kRevoked))) * sizeof(int64_t) +
                       std::popcount(unsigned(parts & (kRotated | kByKey))) * sizeof(Uuid) +
                       cidrs * sizeof(key::Cidr);
  if (bytes.size() - kOptionalAt < fixed) return false;
  for (const key::Cidr& cidr : CidrsIn(bytes.data())) {
    if (cidr.prefix_bits > 8 * cidr.network.bytes.size()) return false;
  }
  bytes = bytes.subspan(kOptionalAt + fixed);
  for (int text = 0; text < kTexts; ++text) {
    const auto size = TextSize(bytes);
    if (!size || bytes.size() < *size) return false;
    bytes = bytes.subspan(*size);
  }
  return bytes.empty();
}

}  // namespace p402::index
