#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "key/cidr.h"
#include "key/ids.h"
#include "key/record.h"

namespace p402::index {

// What is known about a key beyond its cell, as compact bytes that are never changed. In memory and
// in the index's snapshots, never sent; numbers in the machine's order:
//
//    0  u32  bytes in all
//    4  u8   which of the optional parts there are
//    5  u8   number of networks
//    6  u8   kind of the actor that created the key
//    7  u8   0
//    8  i64  version
//   16  i64  created at (ms)
//   24  [i64 expires at] [i64 revoked at] [16 bytes: rotated from] [17 bytes for each network]
//       [16 bytes: the actor, if it is a key]
//       texts: prefix, name, owner, metadata, reason, actor (empty if it is a key),
//       each with its length before it, seven bits in a byte, the lower ones first
//
// Lifetime: the views point into the bytes.
struct Facts {
  int64_t version = 0;
  WallTime created_at{};
  std::optional<WallTime> expires_at = {};
  std::optional<WallTime> revoked_at = {};
  std::optional<key::KeyId> rotated_from = {};
  std::span<const key::Cidr> allowed_cidrs = {};
  key::ActorKind created_by_kind = key::ActorKind::kSystem;
  std::optional<key::KeyId> created_by_key = {};
  std::string_view prefix = {};
  std::string_view name = {};
  std::string_view owner = {};
  std::string_view metadata = {};
  std::string_view revoke_reason = {};
  std::string_view created_by = {};  // empty if created_by_key has it
};

// Writes the facts of `record` over `out`.
void EncodeFacts(const key::Record& record, std::string& out);
Facts ReadFacts(const std::byte* bytes);

// True if `bytes` are facts from their first to their last byte: then everything here can read them.
bool AreFacts(std::span<const std::byte> bytes);

// Parts of it at once. Requires of ExpiryIn: there is one; of CidrsIn: nothing.
uint32_t FactsSize(const std::byte* bytes);
int64_t VersionIn(const std::byte* bytes);
WallTime ExpiryIn(const std::byte* bytes);
std::span<const key::Cidr> CidrsIn(const std::byte* bytes);
bool ExpiresIn(const std::byte* bytes);
bool RevokedIn(const std::byte* bytes);

}  // namespace p402::index
