#pragma once

#include <concepts>
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

// What a decision asks about a key, however that is kept.
template <class T>
concept Decidable = requires(const T& key, const AccountId& account, WallTime now,
                             const std::optional<IpAddress>& ip, std::string_view scope) {
  { key.IsOf(account) } -> std::same_as<bool>;
  { key.is_revoked() } -> std::same_as<bool>;
  { key.HasExpired(now) } -> std::same_as<bool>;
  { key.is_disabled() } -> std::same_as<bool>;
  { key.mode() } -> std::same_as<Mode>;
  { key.Allows(ip) } -> std::same_as<bool>;
  { key.Covers(scope) } -> std::same_as<bool>;
};

// Decides about a known key, in this order: account, revoked, expired, disabled, mode, address,
// scopes. Pure; no allocation. The only place that decides.
template <Decidable T>
Decision Decide(const T& key, const Question& question, WallTime now) {
  if (question.account && !key.IsOf(*question.account)) return Decision::kNotFound;
  switch (StatusOf(key.is_revoked(), key.HasExpired(now), key.is_disabled())) {
    case KeyStatus::kRevoked:
      return Decision::kRevoked;
    case KeyStatus::kExpired:
      return Decision::kExpired;
    case KeyStatus::kDisabled:
      return Decision::kDisabled;
    case KeyStatus::kActive:
      break;
  }
  if (question.mode && *question.mode != key.mode()) return Decision::kWrongMode;
  if (!key.Allows(question.ip)) return Decision::kIpNotAllowed;
  for (const std::string& scope : question.scopes) {
    if (!key.Covers(scope)) return Decision::kInsufficientScope;
  }
  return Decision::kValid;
}
Decision Decide(const Record& record, const Question& question, WallTime now);

}  // namespace p402::key
