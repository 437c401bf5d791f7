#include "key/actor.h"

#include "base/check.h"

namespace p402::key {

std::string_view ActorKindName(ActorKind kind) {
  switch (kind) {
    case ActorKind::kKey:
      return "key";
    case ActorKind::kMember:
      return "member";
    case ActorKind::kSystem:
      return "system";
  }
  P402_CHECK(false);
}

std::optional<ActorKind> ParseActorKind(std::string_view name) {
  for (ActorKind kind : {ActorKind::kKey, ActorKind::kMember, ActorKind::kSystem}) {
    if (name == ActorKindName(kind)) return kind;
  }
  return std::nullopt;
}

}  // namespace p402::key
