#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "store/sqlite/database.h"
#include "store/sqlite/journal.h"

namespace p402::store::sqlite {

// What the database and the journal do not have in common. Of each key only the last restriction
// counts: it says all that the key may still do.
struct Difference {
  JournalLines not_in_journal = {};   // a crash came between COMMIT and the journal
  JournalLines not_in_database = {};  // of unrevoked keys: the database is an older copy
};
Result<Difference> Compare(Database& database, JournalLines journal);

// Revokes and restricts the keys again, each with an audit record of system:restore, in
// transactions of its own. What a restriction says of a key replaces what the older copy says; it
// is a state that the key had later. Returns what was written, for the journal.
// Requires: the keys are in the database and unrevoked, each is named once.
Result<JournalLines> ApplyAgain(Database& database, const JournalLines& lines, const Clock& clock,
                                Random& random);

}  // namespace p402::store::sqlite
