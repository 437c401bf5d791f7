#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "store/sqlite/database.h"
#include "store/sqlite/journal.h"

namespace p402::store::sqlite {

// What the database and the journal of revocations do not have in common.
struct Difference {
  std::vector<Revocation> not_in_journal = {};   // a crash came between COMMIT and the journal
  std::vector<Revocation> not_in_database = {};  // active keys: the database is an older copy
};
Result<Difference> Compare(Database& database, std::vector<Revocation> journal);

// Revokes the keys again, each with an audit record of system:restore, in transactions of its own.
// Returns what was written, for the journal.
Result<std::vector<Revocation>> RevokeAgain(Database& database,
                                            const std::vector<Revocation>& revocations,
                                            const Clock& clock, Random& random);

}  // namespace p402::store::sqlite
