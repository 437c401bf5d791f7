#include "store/sqlite/commit.h"

#include <utility>

#include "base/limits.h"
#include "store/sqlite/audit_rows.h"
#include "store/sqlite/rows.h"

namespace p402::store::sqlite {

// What a plan sees.
class Changes::View final : public Transaction {
 public:
  View(Changes& changes, WallTime now) : changes_(changes), now_(now) {}

  WallTime Now() override { return now_; }
  Result<std::optional<key::Record>> GetKey(const key::KeyId& id) override {
    return changes_.GetKey(id);
  }
  Result<std::vector<key::Record>> HeirsOf(const key::KeyId& parent, size_t limit) override {
    return ReadHeirs(changes_.database_, parent, limit, changes_.marks_);
  }
  Result<std::optional<Account>> GetAccount(const key::AccountId& id) override {
    return ReadAccount(changes_.database_, id);
  }
  Result<std::optional<Idempotency>> GetIdempotency(const key::AccountId& account,
                                                    const key::Digest& key_digest) override {
    return ReadIdempotency(changes_.database_, account, key_digest,
                           now_ - limits::kIdempotencyRetention);
  }
  Result<int64_t> CountAccounts() override {
    return changes_.database_.ReadInt("SELECT count(*) FROM accounts");
  }

 private:
  Changes& changes_;
  const WallTime now_;
};

// Each plan reads its actor, and most changes of one group are made by one actor.
Result<std::optional<key::Record>> Changes::GetKey(const key::KeyId& id) {
  if (last_read_ && last_read_->id == id) return last_read_;
  P402_TRY(auto found, ReadKey(database_, id, marks_));
  if (found) last_read_ = found;
  return found;
}

Result<Applied> Changes::Run(Plan& plan, WallTime now) {
  View view(*this, now);
  P402_TRY(Writes writes, plan(view));
  if (writes.audit.empty() && !writes.pruning) {
    return Fail(ErrorCode::kInternal, "a change without an audit record");
  }
  P402_TRY(ReadHeads());
  const Head head = head_;
  const AuditHead audit_head = audit_head_;
  Applied applied;
  if (auto status = Apply(writes, now, applied); !status) {
    head_ = head;
    audit_head_ = audit_head;
    last_read_.reset();
    return Failure(std::move(status).error());
  }
  applied.committed.seq = head_.seq;
  applied.committed.tag = head_.tag;
  applied.committed.at = now;
  return applied;
}

Status Changes::ReadHeads() {
  if (has_heads_) return {};
  P402_TRY(head_, ReadHead(database_, 0));
  P402_TRY(audit_head_, ReadAuditHead(database_));
  has_heads_ = true;
  return {};
}

Status Changes::Finish() {
  if (!has_heads_) return {};
  P402_TRY(WriteHead(database_, 0, head_));
  return WriteAuditHead(database_, audit_head_);
}

Status Changes::Apply(Writes& writes, WallTime now, Applied& applied) {
  for (const auto& account : writes.accounts) P402_TRY(WriteAccount(account, now));
  for (auto& write : writes.keys) {
    P402_TRY(Write(std::move(write.record), write.kind, now, applied.lines));
  }
  if (writes.idempotency) {
    writes.idempotency->at = now;
    P402_TRY(WriteIdempotency(database_, *writes.idempotency, now - limits::kIdempotencyRetention));
  }
  P402_TRY(ChainAudit(database_, audit_head_, std::move(writes.audit), now));
  if (!writes.pruning) return {};
  P402_TRY(applied.committed.pruned,
           PruneAudit(database_, audit_head_, *std::move(writes.pruning), now));
  return {};
}

Status Changes::WriteAccount(const Account& account, WallTime now) {
  P402_TRY(InsertAccount(database_, account));
  return Append(ChangeKind::kAccount, account.id, account.id.ToString(), {}, now);
}

Status Changes::Write(key::Record record, ChangeKind kind, WallTime now, JournalLines& lines) {
  if (last_read_ && last_read_->id == record.id) last_read_.reset();
  record.version = head_.seq + 1;
  P402_TRY(WriteKey(database_, record));
  P402_TRY(Append(kind, record.account, record.id.ToString(), key::EncodeRecord(record), now));
  if (record.revoked_at) {
    lines.revocations.push_back({.seq = record.version,
                                 .key = record.id,
                                 .account = record.account,
                                 .revoked_at = *record.revoked_at});
  } else if (kind == ChangeKind::kRestrict) {
    lines.restrictions.push_back(RestrictionOf(record, head_.tag, now));
  }
  return {};
}

Status Changes::Append(ChangeKind kind, const key::AccountId& account, std::string subject,
                       std::string payload, WallTime now) {
  head_ = {.seq = head_.seq + 1, .tag = random_.Next64()};
  return InsertChange(database_, {.shard = 0,
                                  .seq = head_.seq,
                                  .tag = head_.tag,
                                  .kind = kind,
                                  .at = now,
                                  .account = account,
                                  .subject = std::move(subject),
                                  .payload = std::move(payload)});
}

}  // namespace p402::store::sqlite
