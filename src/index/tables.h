#pragma once

#include "index/arena.h"
#include "index/cell.h"
#include "index/facts.h"
#include "index/shared.h"
#include "key/decision.h"

namespace p402::index {

// What cells and their numbers refer to. Cells, accounts, scope sets and facts refer to each other
// by numbers only, so that they can be written to a file and read back as they are.
struct Tables {
  Arena facts;
  Cells cells;
  Accounts accounts;
  ScopeSets scope_sets{facts};
};

// One version of one key, as key::Decide asks about it. It looks at the facts only for an expiry
// and for networks, and at the scope set only for scopes.
// Lifetime: that of a Pin.
class Subject {
 public:
  Subject(const Tables& tables, const Cell& cell, State state)
      : tables_(tables), cell_(cell), state_(state) {}
  bool IsOf(const key::AccountId& account) const {
    return tables_.accounts.At(cell_.account) == account;
  }
  bool is_revoked() const { return state_.has(State::kRevoked); }
  bool HasExpired(WallTime now) const { return state_.has(State::kExpires) && now >= expires_at(); }
  bool is_disabled() const { return state_.has(State::kDisabled); }
  key::Mode mode() const { return state_.has(State::kTest) ? key::Mode::kTest : key::Mode::kLive; }
  bool Allows(const std::optional<key::IpAddress>& ip) const {
    return !state_.has(State::kHasCidrs) || key::Allow(CidrsIn(facts()), ip);
  }
  bool Covers(std::string_view scope) const {
    return key::ScopesCover(tables_.scope_sets.TextOf(state_.scope_set()), scope);
  }

 private:
  const std::byte* facts() const { return tables_.facts.At(state_.facts()); }
  WallTime expires_at() const { return ExpiryIn(facts()); }

  const Tables& tables_;
  const Cell& cell_;
  const State state_;
};

}  // namespace p402::index
