#include "store/memory/state.h"

#include <algorithm>

#include "base/limits.h"
#include "store/audit_chain.h"

namespace p402::store::memory {
namespace {

bool IsKept(const Idempotency& entry, WallTime now) {
  return entry.at > now - limits::kIdempotencyRetention;
}

class MemoryTransaction final : public Transaction {
 public:
  MemoryTransaction(const State& state, WallTime now) : state_(state), now_(now) {}

  WallTime Now() override { return now_; }

  Result<std::optional<key::Record>> GetKey(const key::KeyId& id) override {
    auto it = state_.keys.find(id);
    if (it == state_.keys.end()) return std::nullopt;
    return it->second;
  }

  Result<std::vector<key::Record>> HeirsOf(const key::KeyId& parent, size_t limit) override {
    std::vector<key::Record> found;
    auto it = state_.heirs.find(parent.ToString());
    if (it == state_.heirs.end()) return found;
    for (const auto& id : it->second) {
      if (found.size() == limit) break;
      found.push_back(state_.keys.at(id));
    }
    return found;
  }

  Result<std::optional<Account>> GetAccount(const key::AccountId& id) override {
    auto it = state_.accounts.find(id);
    if (it == state_.accounts.end()) return std::nullopt;
    return it->second;
  }

  Result<std::optional<Idempotency>> GetIdempotency(const key::AccountId& account,
                                                    const key::Digest& key_digest) override {
    auto it = state_.idempotency.find({account, key_digest});
    if (it == state_.idempotency.end() || !IsKept(it->second, now_)) return std::nullopt;
    return it->second;
  }

  Result<int64_t> CountAccounts() override { return static_cast<int64_t>(state_.accounts.size()); }

 private:
  const State& state_;
  WallTime now_;
};

Status CheckAccounts(const State& state, const std::vector<Account>& accounts) {
  bool has_first = std::ranges::any_of(state.accounts, [](auto& a) { return a.second.is_first; });
  std::set<key::AccountId> added;
  for (const auto& account : accounts) {
    if (state.accounts.contains(account.id) || !added.insert(account.id).second) {
      return Fail(ErrorCode::kConflict, "the account exists: " + account.id.ToString());
    }
    if (account.is_first && has_first) {
      return Fail(ErrorCode::kConflict, "there is a first account already");
    }
    has_first = has_first || account.is_first;
  }
  return {};
}

Status CheckKeys(const State& state, const Writes& writes) {
  std::map<key::Digest, key::KeyId> added;
  for (const auto& write : writes.keys) {
    const auto& record = write.record;
    const bool has_account =
        state.accounts.contains(record.account) ||
        std::ranges::any_of(writes.accounts, [&](auto& a) { return a.id == record.account; });
    if (!has_account) {
      return Fail(ErrorCode::kConflict, "no such account: " + record.account.ToString());
    }
    auto holder = state.digests.find(record.digest);
    auto [rival, is_new] = added.try_emplace(record.digest, record.id);
    if ((holder != state.digests.end() && holder->second != record.id) ||
        rival->second != record.id) {
      return Fail(ErrorCode::kConflict, "another key has this digest");
    }
    auto before = state.keys.find(record.id);
    if (before != state.keys.end() && before->second.revoked_at && !record.revoked_at) {
      return Fail(ErrorCode::kConflict, "revoked is final: " + record.id.ToString());
    }
  }
  return {};
}

Status CheckWrites(const State& state, const Writes& writes, WallTime now) {
  if (writes.audit.empty()) {
    return Fail(ErrorCode::kInternal, "a change without an audit record");
  }
  P402_TRY(CheckAccounts(state, writes.accounts));
  P402_TRY(CheckKeys(state, writes));
  if (!writes.idempotency) return {};
  auto it = state.idempotency.find({writes.idempotency->account, writes.idempotency->key_digest});
  if (it != state.idempotency.end() && IsKept(it->second, now)) {
    return Fail(ErrorCode::kConflict, "the idempotency key exists");
  }
  return {};
}

int64_t AppendLog(State& state, ChangeKind kind, WallTime now, const key::AccountId& account,
                  std::string subject, std::string payload) {
  const auto seq = static_cast<int64_t>(state.log.size()) + 1;
  state.log.push_back({.shard = 0,
                       .seq = seq,
                       .tag = state.random.Next64(),
                       .kind = kind,
                       .at = now,
                       .account = account,
                       .subject = std::move(subject),
                       .payload = std::move(payload)});
  return seq;
}

void ApplyKey(State& state, KeyWrite write, WallTime now) {
  key::Record& record = write.record;
  record.version = AppendLog(state, write.kind, now, record.account, record.id.ToString(),
                             key::EncodeRecord(record));
  auto [it, is_new] = state.keys.try_emplace(record.id);
  record.last_used_at = it->second.last_used_at;
  if (!is_new) state.digests.erase(it->second.digest);
  state.digests[record.digest] = record.id;
  if (record.created_by.kind == key::ActorKind::kKey) {
    state.heirs[record.created_by.id].insert(record.id);
  }
  if (record.rotated_from) state.heirs[record.rotated_from->ToString()].insert(record.id);
  it->second = std::move(record);
}

void Apply(State& state, Writes writes, WallTime now) {
  for (auto& account : writes.accounts) {
    AppendLog(state, ChangeKind::kAccount, now, account.id, account.id.ToString(), {});
    state.accounts.emplace(account.id, account);
  }
  for (auto& write : writes.keys) ApplyKey(state, std::move(write), now);
  if (writes.idempotency) {
    std::erase_if(state.idempotency, [&](auto& entry) { return !IsKept(entry.second, now); });
    auto& entry = *writes.idempotency;
    entry.at = now;
    state.idempotency[{entry.account, entry.key_digest}] = entry;
  }
  for (auto& record : writes.audit) {
    state.audit_head = Chain(state.audit_head, now, record);
    state.audit.push_back(std::move(record));
  }
}

}  // namespace

Result<Committed> RunPlan(State& state, Plan& plan) {
  const WallTime now = state.clock.Now();
  MemoryTransaction transaction(state, now);
  P402_TRY(Writes writes, plan(transaction));
  P402_TRY(CheckWrites(state, writes, now));
  Apply(state, std::move(writes), now);
  Committed committed{.at = now};
  if (!state.log.empty()) {
    committed.seq = state.log.back().seq;
    committed.tag = state.log.back().tag;
  }
  return committed;
}

int64_t PruneAudit(State& state, WallTime before, AuditRecord by) {
  auto end = std::ranges::find_if(state.audit, [&](auto& record) { return record.at >= before; });
  const auto deleted = static_cast<int64_t>(end - state.audit.begin());
  if (deleted > 0) {
    state.audit_checkpoint = {.number = (end - 1)->number, .hash = (end - 1)->hash};
    state.audit.erase(state.audit.begin(), end);
  }
  by = PruneRecord(std::move(by), deleted, state.audit_checkpoint.number);
  state.audit_head = Chain(state.audit_head, state.clock.Now(), by);
  state.audit.push_back(std::move(by));
  return deleted;
}

}  // namespace p402::store::memory
