#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "key/cidr.h"
#include "key/record.h"

namespace p402::key {

// The answer of a verification (V1). The names are part of the API.
enum class Decision : uint8_t {
  kValid,
  kMalformed,
  kNotFound,
  kRevoked,
  kDisabled,
  kExpired,
  kInsufficientScope,
  kWrongMode,
  kIpNotAllowed,
};
std::string_view DecisionName(Decision decision);  // "valid", "not_found", …

// What is asked about a presented key.
struct Question {
  // The key must belong to this account; another's is kNotFound. nullopt: any account.
  std::optional<AccountId> account = {};
  std::optional<Mode> mode = {};             // nullopt: any mode
  std::span<const std::string> scopes = {};  // all of them are needed
  std::optional<IpAddress> ip = {};
};

// Decides about a known key, in this order: account, revoked, expired, disabled, mode, address,
// scopes. Pure; no allocation.
Decision Decide(const Record& record, const Question& question, WallTime now);

}  // namespace p402::key
