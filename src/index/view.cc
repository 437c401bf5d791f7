#include "index/view.h"

#include "base/check.h"
#include "index/tables.h"

namespace p402::index {

const key::AccountId& View::account() const {
  return tables_->terms.AccountOf(state_.terms());
}

std::optional<WallTime> View::expires_at() const {
  if (!state_.has(State::kExpires)) return std::nullopt;
  return ExpiryIn(tables_->facts.At(state_.facts()));
}

std::string_view View::scopes() const {
  return tables_->terms.ScopesOf(state_.terms());
}

Facts View::facts() const {
  return ReadFacts(tables_->facts.At(state_.facts()));
}

void View::PrefetchFacts() const {
  __builtin_prefetch(tables_->facts.At(state_.facts()));
}

std::span<const std::byte> View::facts_bytes() const {
  const std::byte* bytes = tables_->facts.At(state_.facts());
  return {bytes, FactsSize(bytes)};
}

key::Record View::Materialize() const {
  const Facts known = facts();
  auto scope_set = key::ScopeSet::ParseText(scopes());
  P402_CHECK(scope_set);
  return {
      .id = id(),
      .account = account(),
      .digest = digest(),
      .prefix = std::string(known.prefix),
      .name = std::string(known.name),
      .mode = mode(),
      .scopes = *std::move(scope_set),
      .allowed_cidrs = key::CidrSet::FromValues(known.allowed_cidrs),
      .owner = std::string(known.owner),
      .metadata = std::string(known.metadata),
      .created_at = known.created_at,
      .created_by = {known.created_by_kind, known.created_by_key ? known.created_by_key->ToString()
                                                                 : std::string(known.created_by)},
      .expires_at = known.expires_at,
      .is_disabled = is_disabled(),
      .revoked_at = known.revoked_at,
      .revoke_reason = std::string(known.revoke_reason),
      .rotated_from = known.rotated_from,
      .version = known.version,
  };
}

}  // namespace p402::index
