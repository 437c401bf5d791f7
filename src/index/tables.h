#pragma once

#include "index/arena.h"
#include "index/cell.h"
#include "index/facts.h"
#include "index/terms.h"
#include "key/decision.h"

namespace p402::index {

// What cells and their numbers refer to.
struct Tables {
  Arena facts;
  Cells cells;
  Terms terms{facts};
};

// One version of one key, as key::Decide asks about it. It looks at the facts only if the key has
// expired or is about to, and for networks; at the terms for the account and for scopes.
// Lifetime: that of a Pin.
class Subject {
 public:
  Subject(const Tables& tables, const Version& version)
      : tables_(tables), state_(version.state), deadline_(version.deadline) {}
  bool IsOf(const key::AccountId& account) const {
    return tables_.terms.AccountOf(state_.terms()) == account;
  }
  bool is_revoked() const { return state_.has(State::kRevoked); }
  bool HasExpired(WallTime now) const {
    return DeadlineSecond(now) >= deadline_ && state_.has(State::kExpires) &&
           now >= ExpiryIn(facts());
  }
  bool is_disabled() const { return state_.has(State::kDisabled); }
  key::Mode mode() const { return state_.has(State::kTest) ? key::Mode::kTest : key::Mode::kLive; }
  bool Allows(const std::optional<key::IpAddress>& ip) const {
    return !state_.has(State::kHasCidrs) || key::Allow(CidrsIn(facts()), ip);
  }
  bool Covers(std::string_view scope) const {
    return key::ScopesCover(tables_.terms.ScopesOf(state_.terms()), scope);
  }

 private:
  const std::byte* facts() const { return tables_.facts.At(state_.facts()); }

  const Tables& tables_;
  const State state_;
  const uint32_t deadline_;
};

}  // namespace p402::index
