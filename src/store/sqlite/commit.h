#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "store/sqlite/database.h"
#include "store/sqlite/journal.h"
#include "store/sqlite/mark_log.h"
#include "store/transaction.h"

namespace p402::store::sqlite {

struct Applied {
  Committed committed;
  JournalLines lines;  // for the journal
};

// Runs `plan` and writes what it decided. The plan sees `marks`.
// Requires: a transaction is open on `database`; the caller ends it, and rolls it back after an
// error.
Result<Applied> RunPlan(Database& database, Plan& plan, WallTime now, Random& random,
                        const LoggedMarks& marks);

}  // namespace p402::store::sqlite
