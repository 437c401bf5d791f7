#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "key/actor.h"
#include "key/cidr.h"
#include "key/digest.h"
#include "key/ids.h"
#include "key/raw_key.h"
#include "key/scope.h"

namespace p402::key {

// What is shown to people. Never stored: it follows from the record and the time.
enum class KeyStatus : uint8_t { kActive, kDisabled, kExpired, kRevoked };
std::string_view KeyStatusName(KeyStatus status);  // "active", …
std::optional<KeyStatus> ParseKeyStatus(std::string_view name);

// Everything that is known about a key but the raw key.
struct Record {
  KeyId id;
  AccountId account;
  Digest digest{};
  std::string prefix = {};
  std::string name = {};
  Mode mode = Mode::kLive;
  ScopeSet scopes = {};
  CidrSet allowed_cidrs = {};
  std::string owner = {};     // empty: none
  std::string metadata = {};  // compact JSON text of an object; empty: none
  WallTime created_at{};
  Actor created_by = {};
  std::optional<WallTime> expires_at = {};
  bool is_disabled = false;
  std::optional<WallTime> revoked_at = {};
  std::string revoke_reason = {};
  std::optional<KeyId> rotated_from = {};
  // The sequence of the change that wrote this version; 0 before the first commit. Newer is larger.
  int64_t version = 0;
  // Not part of the change feed's payload.
  std::optional<WallTime> last_used_at = {};

  bool operator==(const Record&) const = default;
};

// Revoked before expired before disabled before active.
constexpr KeyStatus StatusOf(bool is_revoked, bool is_expired, bool is_disabled) {
  if (is_revoked) return KeyStatus::kRevoked;
  if (is_expired) return KeyStatus::kExpired;
  return is_disabled ? KeyStatus::kDisabled : KeyStatus::kActive;
}
KeyStatus StatusAt(const Record& record, WallTime now);

// The payload of a change: all of the record but `version` and `last_used_at`, as bytes.
// Layout: a format byte (1), then each field in the order of Record; numbers little endian, texts
// with a 32-bit length. Never renumber.
std::string EncodeRecord(const Record& record);
// Errors: kCorrupt for anything that EncodeRecord cannot have written.
Result<Record> DecodeRecord(std::string_view bytes);

}  // namespace p402::key
