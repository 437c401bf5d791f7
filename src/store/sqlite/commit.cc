#include "store/sqlite/commit.h"

#include "base/limits.h"
#include "store/sqlite/audit_rows.h"
#include "store/sqlite/rows.h"

namespace p402::store::sqlite {
namespace {

class SqliteTransaction final : public Transaction {
 public:
  SqliteTransaction(Database& database, WallTime now, const LoggedMarks& marks)
      : database_(database), now_(now), marks_(marks) {}

  WallTime Now() override { return now_; }
  Result<std::optional<key::Record>> GetKey(const key::KeyId& id) override {
    return ReadKey(database_, id, marks_);
  }
  Result<std::vector<key::Record>> HeirsOf(const key::KeyId& parent, size_t limit) override {
    return ReadHeirs(database_, parent, limit, marks_);
  }
  Result<std::optional<Account>> GetAccount(const key::AccountId& id) override {
    return ReadAccount(database_, id);
  }
  Result<std::optional<Idempotency>> GetIdempotency(const key::AccountId& account,
                                                    const key::Digest& key_digest) override {
    return ReadIdempotency(database_, account, key_digest, now_ - limits::kIdempotencyRetention);
  }
  Result<int64_t> CountAccounts() override {
    return database_.ReadInt("SELECT count(*) FROM accounts");
  }

 private:
  Database& database_;
  WallTime now_;
  const LoggedMarks& marks_;
};

// Writes one change after another and moves the head once at the end.
class ChangeWriter {
 public:
  ChangeWriter(Database& database, Head head, WallTime now, Random& random)
      : database_(database), head_(head), now_(now), random_(random) {}

  Status WriteAccount(const Account& account) {
    P402_TRY(InsertAccount(database_, account));
    return Append(ChangeKind::kAccount, account.id, account.id.ToString(), {});
  }

  Status Write(key::Record record, ChangeKind kind) {
    record.version = head_.seq + 1;
    P402_TRY(WriteKey(database_, record));
    P402_TRY(Append(kind, record.account, record.id.ToString(), key::EncodeRecord(record)));
    if (record.revoked_at) {
      lines_.revocations.push_back({.seq = record.version,
                                    .key = record.id,
                                    .account = record.account,
                                    .revoked_at = *record.revoked_at});
    } else if (kind == ChangeKind::kRestrict) {
      lines_.restrictions.push_back(RestrictionOf(record, head_.tag, now_));
    }
    return {};
  }

  Result<Applied> Finish() && {
    if (is_changed_) P402_TRY(WriteHead(database_, 0, head_));
    return Applied{.committed = {.seq = head_.seq, .tag = head_.tag, .at = now_},
                   .lines = std::move(lines_)};
  }

 private:
  Status Append(ChangeKind kind, const key::AccountId& account, std::string subject,
                std::string payload) {
    head_ = {.seq = head_.seq + 1, .tag = random_.Next64()};
    is_changed_ = true;
    return InsertChange(database_, {.shard = 0,
                                    .seq = head_.seq,
                                    .tag = head_.tag,
                                    .kind = kind,
                                    .at = now_,
                                    .account = account,
                                    .subject = std::move(subject),
                                    .payload = std::move(payload)});
  }

  Database& database_;
  Head head_;
  WallTime now_;
  Random& random_;
  bool is_changed_ = false;
  JournalLines lines_;
};

}  // namespace

Result<Applied> RunPlan(Database& database, Plan& plan, WallTime now, Random& random,
                        const LoggedMarks& marks) {
  SqliteTransaction transaction(database, now, marks);
  P402_TRY(Writes writes, plan(transaction));
  if (writes.audit.empty() && !writes.pruning) {
    return Fail(ErrorCode::kInternal, "a change without an audit record");
  }
  P402_TRY(const Head head, ReadHead(database, 0));
  ChangeWriter writer(database, head, now, random);
  for (const auto& account : writes.accounts) P402_TRY(writer.WriteAccount(account));
  for (auto& write : writes.keys) P402_TRY(writer.Write(std::move(write.record), write.kind));
  if (writes.idempotency) {
    writes.idempotency->at = now;
    P402_TRY(WriteIdempotency(database, *writes.idempotency, now - limits::kIdempotencyRetention));
  }
  P402_TRY(AppendAudit(database, std::move(writes.audit), now));
  P402_TRY(Applied applied, std::move(writer).Finish());
  if (writes.pruning) {
    P402_TRY(applied.committed.pruned, PruneAudit(database, *std::move(writes.pruning), now));
  }
  return applied;
}

}  // namespace p402::store::sqlite
