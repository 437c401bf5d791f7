#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "index/cell.h"
#include "index/facts.h"
#include "index/readers.h"
#include "key/record.h"

namespace p402::index {

struct Tables;

// One version of one key, read where it lies: no copy, no allocation. It stays as it was when it
// was found, whatever is put.
//
// Threads:  one at a time; it may be moved to another thread.
// Lifetime: within the index's, and short: it keeps the index from using memory again. Never keep
// one
//           while waiting for something: Materialize() instead. A thread that has one must not call
//           what writes the index.
class View {
 public:
  View() = default;

  explicit operator bool() const { return cell_ != nullptr; }
  // All of the following require a key.
  const key::KeyId& id() const { return cell_->id; }
  const key::AccountId& account() const;
  const key::Digest& digest() const { return cell_->digest; }
  key::Mode mode() const { return state_.has(State::kTest) ? key::Mode::kTest : key::Mode::kLive; }
  bool is_disabled() const { return state_.has(State::kDisabled); }
  bool is_revoked() const { return state_.has(State::kRevoked); }
  std::optional<WallTime> expires_at() const;
  std::string_view scopes() const;  // as ScopeSet::ToString
  bool Covers(std::string_view scope) const { return key::ScopesCover(scopes(), scope); }
  // True if nothing newer is known about the key.
  bool is_newest() const { return cell_->state.load(std::memory_order_acquire) == state_.word(); }
  // Everything else: name, owner, metadata, … Cost: one pass over them.
  Facts facts() const;
  // Asks the memory for them: well before facts().
  void PrefetchFacts() const;
  // The same as they lie in memory (facts.h).
  std::span<const std::byte> facts_bytes() const;
  std::string_view name() const { return facts().name; }
  std::string_view owner() const { return facts().owner; }
  std::string_view metadata() const { return facts().metadata; }

  // A copy without `last_used_at`.
  key::Record Materialize() const;

 private:
  friend class Index;
  View(Readers::Pin pin, const Tables& tables, const Cell& cell, State state)
      : pin_(std::move(pin)), tables_(&tables), cell_(&cell), state_(state) {}

  Readers::Pin pin_;
  const Tables* tables_ = nullptr;
  const Cell* cell_ = nullptr;
  State state_;
};

}  // namespace p402::index
