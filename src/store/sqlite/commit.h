#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "store/audit.h"
#include "store/sqlite/database.h"
#include "store/sqlite/journal.h"
#include "store/sqlite/mark_log.h"
#include "store/transaction.h"

namespace p402::store::sqlite {

struct Applied {
  Committed committed;
  JournalLines lines;  // for the journal
};

// The changes of one transaction. What each of them reads and writes again (the heads of the log and
// of the audit chain, the actor's record) is kept here between them.
// Threads:  one at a time.
// Lifetime: from the transaction's begin to its end.
class Changes {
 public:
  // Plans see `marks`.
  Changes(Database& database, Random& random, LoggedMarks marks)
      : database_(database), random_(random), marks_(std::move(marks)) {}

  // Runs `plan` and writes what it decided. After an error, the transaction is as before if the
  // database counts no further change; otherwise it has to be rolled back.
  Result<Applied> Run(Plan& plan, WallTime now);
  // Before the transaction is committed. After an error it has to be rolled back.
  Status Finish();

 private:
  class View;

  Result<std::optional<key::Record>> GetKey(const key::KeyId& id);
  Status ReadHeads();
  Status Apply(Writes& writes, WallTime now, Applied& applied);
  Status WriteAccount(const Account& account, WallTime now);
  Status Write(key::Record record, ChangeKind kind, WallTime now, JournalLines& lines);
  Status Append(ChangeKind kind, const key::AccountId& account, std::string subject,
                std::string payload, WallTime now);

  Database& database_;
  Random& random_;
  const LoggedMarks marks_;
  bool has_heads_ = false;
  Head head_;
  AuditHead audit_head_;
  std::optional<key::Record> last_read_;
};

}  // namespace p402::store::sqlite
