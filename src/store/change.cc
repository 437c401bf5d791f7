#include "store/change.h"

#include <bit>
#include <span>

#include "base/check.h"

namespace p402::store {
namespace {

// The bytes that AuditHash hashes: each field as a 32-bit little-endian length and its bytes.
class HashInput {
 public:
  void Bytes(std::span<const uint8_t> bytes) {
    Text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  void Text(std::string_view text) {
    Append(static_cast<uint64_t>(text.size()), 4);
    bytes_.append(text);
  }
  void Number(int64_t number) {
    Append(8, 4);
    Append(static_cast<uint64_t>(number), 8);
  }
  std::string_view bytes() const { return bytes_; }

 private:
  void Append(uint64_t value, size_t size) {
    static_assert(std::endian::native == std::endian::little);
    bytes_.append(reinterpret_cast<const char*>(&value), size);
  }
  std::string bytes_;
};

}  // namespace

std::string_view ChangeKindName(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kRevoke:
      return "revoke";
    case ChangeKind::kRestrict:
      return "restrict";
    case ChangeKind::kPermit:
      return "permit";
    case ChangeKind::kJoin:
      return "join";
    case ChangeKind::kExpel:
      return "expel";
    case ChangeKind::kEpoch:
      return "epoch";
    case ChangeKind::kAccount:
      return "account";
    case ChangeKind::kUpdate:
      return "update";
  }
  P402_CHECK(false);
}

key::Digest AuditHash(const AuditRecord& record) {
  HashInput input;
  input.Bytes(record.previous);
  input.Number(record.number);
  input.Number(record.at.time_since_epoch().count());
  input.Bytes(record.account.uuid);
  input.Number(static_cast<int64_t>(record.actor.kind));
  input.Text(record.actor.id);
  input.Text(record.action);
  input.Text(record.subject);
  input.Text(record.details);
  input.Text(record.ip);
  input.Text(record.request_id);
  return key::DigestOf(input.bytes());
}

}  // namespace p402::store
