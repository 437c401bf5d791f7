#include "key/record.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/limits.h"

namespace p402::key {
namespace {

constexpr uint8_t kFormat = 1;
// Far above every limit of limits.h: a length beyond it is damage, not a long text.
constexpr uint32_t kMaxText = 1 << 20;

class Writer {
 public:
  void Byte(uint8_t value) { bytes_ += static_cast<char>(value); }
  void Int64(int64_t value) {
    for (int i = 0; i < 8; ++i) Byte(static_cast<uint8_t>(static_cast<uint64_t>(value) >> (8 * i)));
  }
  void Text(std::string_view text) {
    for (int i = 0; i < 4; ++i) Byte(static_cast<uint8_t>(text.size() >> (8 * i)));
    bytes_ += text;
  }
  void Bytes(std::span<const uint8_t> bytes) {
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void Time(const std::optional<WallTime>& time) {
    Byte(time.has_value());
    if (time) Int64(time->time_since_epoch().count());
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what Writer wrote. After the first failure everything reads as zero, and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool ok() const { return is_ok_; }
  bool at_end() const { return rest_.empty(); }
  void Refuse() { is_ok_ = false; }

  std::string_view Take(size_t count) {
    if (!is_ok_ || rest_.size() < count) {
      is_ok_ = false;
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  uint8_t Byte() {
    const std::string_view taken = Take(1);
    return taken.empty() ? 0 : static_cast<uint8_t>(taken[0]);
  }
  uint64_t Number(size_t bytes) {
    uint64_t value = 0;
    const std::string_view taken = Take(bytes);
    for (size_t i = taken.size(); i > 0; --i)
      value = value << 8 | static_cast<uint8_t>(taken[i - 1]);
    return value;
  }
  std::string Text() {
    const uint64_t size = Number(4);
    if (size > kMaxText) is_ok_ = false;
    return std::string(Take(is_ok_ ? size : 0));
  }
  void Bytes(std::span<uint8_t> out) {
    const std::string_view taken = Take(out.size());
    if (!taken.empty()) std::memcpy(out.data(), taken.data(), out.size());
  }
  bool Flag() {
    const uint8_t value = Byte();
    if (value > 1) is_ok_ = false;
    return value == 1;
  }
  std::optional<WallTime> Time() {
    if (!Flag()) return std::nullopt;
    return WallTime(Millis(static_cast<int64_t>(Number(8))));
  }

 private:
  std::string_view rest_;
  bool is_ok_ = true;
};

void ReadScopes(Reader& reader, Record& record) {
  const std::string text = reader.Text();
  auto scopes = ScopeSet::ParseText(text);
  // Only what EncodeRecord can have written: sorted, without duplicates.
  if (!scopes || scopes->ToString() != text) return reader.Refuse();
  record.scopes = *std::move(scopes);
}

void ReadCidrs(Reader& reader, Record& record) {
  std::vector<std::string> texts;
  const uint64_t count = reader.Number(2);
  if (count > limits::kCidrCount) return reader.Refuse();
  for (uint64_t i = 0; i < count; ++i) texts.push_back(reader.Text());
  auto cidrs = CidrSet::Parse(texts);
  if (!cidrs || cidrs->ToStrings() != texts) return reader.Refuse();
  record.allowed_cidrs = *std::move(cidrs);
}

void ReadActor(Reader& reader, Actor& actor) {
  const uint8_t kind = reader.Byte();
  if (kind < uint8_t(ActorKind::kKey) || kind > uint8_t(ActorKind::kSystem)) reader.Refuse();
  actor = {.kind = static_cast<ActorKind>(kind), .id = reader.Text()};
}

void ReadMode(Reader& reader, Record& record) {
  const uint8_t mode = reader.Byte();
  if (mode != uint8_t(Mode::kLive) && mode != uint8_t(Mode::kTest)) reader.Refuse();
  record.mode = static_cast<Mode>(mode);
}

}  // namespace

std::string_view KeyStatusName(KeyStatus status) {
  switch (status) {
    case KeyStatus::kActive:
      return "active";
    case KeyStatus::kDisabled:
      return "disabled";
    case KeyStatus::kExpired:
      return "expired";
    case KeyStatus::kRevoked:
      return "revoked";
  }
  P402_CHECK(false);
}

std::optional<KeyStatus> ParseKeyStatus(std::string_view name) {
  for (KeyStatus status :
       {KeyStatus::kActive, KeyStatus::kDisabled, KeyStatus::kExpired, KeyStatus::kRevoked}) {
    if (name == KeyStatusName(status)) return status;
  }
  return std::nullopt;
}

KeyStatus StatusAt(const Record& record, WallTime now) {
  return StatusOf(record.revoked_at.has_value(), record.expires_at && now >= *record.expires_at,
                  record.is_disabled);
}

std::string EncodeRecord(const Record& record) {
  Writer writer;
  writer.Byte(kFormat);
  writer.Bytes(record.id.uuid);
  writer.Bytes(record.account.uuid);
  writer.Bytes(record.digest);
  writer.Text(record.prefix);
  writer.Text(record.name);
  writer.Byte(static_cast<uint8_t>(record.mode));
  writer.Text(record.scopes.ToString());
  const auto cidrs = record.allowed_cidrs.ToStrings();
  writer.Byte(static_cast<uint8_t>(cidrs.size()));
  writer.Byte(static_cast<uint8_t>(cidrs.size() >> 8));
  for (const std::string& cidr : cidrs) writer.Text(cidr);
  writer.Text(record.owner);
  writer.Text(record.metadata);
  writer.Int64(record.created_at.time_since_epoch().count());
  writer.Byte(static_cast<uint8_t>(record.created_by.kind));
  writer.Text(record.created_by.id);
  writer.Time(record.expires_at);
  writer.Byte(record.is_disabled);
  writer.Time(record.revoked_at);
  writer.Text(record.revoke_reason);
  writer.Byte(record.rotated_from.has_value());
  if (record.rotated_from) writer.Bytes(record.rotated_from->uuid);
  return writer.Take();
}

Result<Record> DecodeRecord(std::string_view bytes) {
  Reader reader(bytes);
  if (reader.Byte() != kFormat) return Fail(ErrorCode::kCorrupt, "a record of an unknown format");
  Record record;
  reader.Bytes(record.id.uuid);
  reader.Bytes(record.account.uuid);
  reader.Bytes(record.digest);
  record.prefix = reader.Text();
  record.name = reader.Text();
  ReadMode(reader, record);
  ReadScopes(reader, record);
  ReadCidrs(reader, record);
  record.owner = reader.Text();
  record.metadata = reader.Text();
  record.created_at = WallTime(Millis(static_cast<int64_t>(reader.Number(8))));
  ReadActor(reader, record.created_by);
  record.expires_at = reader.Time();
  record.is_disabled = reader.Flag();
  record.revoked_at = reader.Time();
  record.revoke_reason = reader.Text();
  if (reader.Flag()) reader.Bytes(record.rotated_from.emplace().uuid);
  if (!reader.ok() || !reader.at_end()) return Fail(ErrorCode::kCorrupt, "a damaged record");
  return record;
}

}  // namespace p402::key
