#pragma once

#include <memory>
#include <optional>
#include <string>

#include "key/actor.h"
#include "key/cidr.h"
#include "key/record.h"

namespace p402::service {

// Who asks, and from where: the outcome of Authenticator::Authenticate. `record` is a snapshot;
// every change checks the actor again inside its commit (R2), every read before it is answered.
struct Caller {
  std::shared_ptr<const key::Record> record;
  std::optional<key::IpAddress> ip = {};  // the client's, after trusted proxies; nullopt: unknown
  std::string request_id = {};

  key::Actor actor() const { return {key::ActorKind::kKey, record->id.ToString()}; }
};

}  // namespace p402::service
