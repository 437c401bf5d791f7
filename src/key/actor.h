#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace p402::key {

// Stored: never renumber.
enum class ActorKind : uint8_t { kKey = 1, kMember = 2, kSystem = 3 };
std::string_view ActorKindName(ActorKind kind);  // "key", "member", "system"
std::optional<ActorKind> ParseActorKind(std::string_view name);

// Who does something. `id` is the TypeID of a key or a member, or for kSystem the part of the
// product ("init", "restore").
struct Actor {
  ActorKind kind = ActorKind::kSystem;
  std::string id = {};
  bool operator==(const Actor&) const = default;
};

}  // namespace p402::key
