#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "key/ids.h"

namespace p402::service {

// Cursors of the audit list for the accounts that must not see the numbers of the chain (A12): how
// fast these grow tells how busy the others are. A cursor is a number, enciphered and bound to its
// account, so that it can be neither read nor altered: a reader who could move a cursor would find
// the number by trying which records stand before it.
//
// Cursors end with this object: after a restart they are not this list's any more.
// Threads: safe to call concurrently.
class AuditCursors {
 public:
  explicit AuditCursors(Random& random) { random.Fill(secret_); }

  std::string Seal(const key::AccountId& account, int64_t number) const;
  // Errors: nullopt for everything that Seal has not made for this account.
  std::optional<int64_t> Open(const key::AccountId& account, std::string_view cursor) const;

 private:
  std::array<uint8_t, 32> secret_;
};

}  // namespace p402::service
