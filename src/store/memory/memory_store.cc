#include "store/memory/memory_store.h"

#include <algorithm>

#include "store/audit_chain.h"
#include "store/memory/state.h"

namespace p402::store::memory {
namespace {

char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool ContainsIgnoringCase(std::string_view text, std::string_view part) {
  auto same = [](char a, char b) { return LowerAscii(a) == LowerAscii(b); };
  return !std::ranges::search(text, part, same).empty() || part.empty();
}

bool Matches(const key::Record& record, const KeyFilter& filter) {
  if (filter.mode && record.mode != *filter.mode) return false;
  if (filter.status && key::StatusAt(record, filter.now) != *filter.status) return false;
  if (filter.owner && record.owner != *filter.owner) return false;
  if (filter.prefix && !record.prefix.starts_with(*filter.prefix)) return false;
  if (filter.name && !ContainsIgnoringCase(record.name, *filter.name)) return false;
  if (filter.unused_since && record.last_used_at && *record.last_used_at >= *filter.unused_since) {
    return false;
  }
  if (filter.expires_before &&
      (!record.expires_at || *record.expires_at >= *filter.expires_before)) {
    return false;
  }
  return true;
}

class MemoryKeys final : public Keys {
 public:
  explicit MemoryKeys(State& state) : state_(state) {}

  void Get(const key::AccountId& account, const key::KeyId& id,
           Callback<Result<std::optional<key::Record>>> done) override {
    std::optional<key::Record> found;
    {
      std::lock_guard lock(state_.mutex);
      auto it = state_.keys.find(id);
      if (it != state_.keys.end() && it->second.account == account) found = it->second;
    }
    std::move(done)(std::move(found));
  }

  void List(KeyPageRequest request, Callback<Result<KeyPage>> done) override {
    KeyPage page;
    {
      std::lock_guard lock(state_.mutex);
      auto it = request.before ? state_.keys.lower_bound(*request.before) : state_.keys.end();
      while (it != state_.keys.begin() && !page.has_more) {
        const key::Record& record = (--it)->second;
        if (record.account != request.account || !Matches(record, request.filter)) continue;
        page.has_more = page.keys.size() == request.limit;
        if (!page.has_more) page.keys.push_back(record);
      }
    }
    std::move(done)(std::move(page));
  }

  void Scan(const key::KeyId& after, size_t limit,
            Callback<Result<std::vector<key::Record>>> done) override {
    std::vector<key::Record> found;
    {
      std::lock_guard lock(state_.mutex);
      auto it = state_.keys.upper_bound(after);
      for (; it != state_.keys.end() && found.size() < limit; ++it) found.push_back(it->second);
    }
    std::move(done)(std::move(found));
  }

  void Count(Callback<Result<int64_t>> done) override {
    int64_t count = 0;
    {
      std::lock_guard lock(state_.mutex);
      count = static_cast<int64_t>(state_.keys.size());
    }
    std::move(done)(count);
  }

 private:
  State& state_;
};

class MemoryAccounts final : public Accounts {
 public:
  explicit MemoryAccounts(State& state) : state_(state) {}
  void List(Callback<Result<std::vector<Account>>> done) override {
    std::vector<Account> accounts;
    {
      std::lock_guard lock(state_.mutex);
      for (const auto& [id, account] : state_.accounts) accounts.push_back(account);
    }
    std::move(done)(std::move(accounts));
  }

 private:
  State& state_;
};

class MemoryLogReader final : public ChangeLog {
 public:
  explicit MemoryLogReader(State& state) : state_(state) {}

  void ReadHead(int32_t shard, Callback<Result<Head>> done) override {
    Head head;
    {
      std::lock_guard lock(state_.mutex);
      if (shard == 0 && !state_.log.empty()) {
        head = {.seq = state_.log.back().seq, .tag = state_.log.back().tag};
      }
    }
    std::move(done)(head);
  }

  void Read(int32_t shard, int64_t from, size_t limit,
            Callback<Result<std::vector<Change>>> done) override {
    std::vector<Change> changes;
    {
      std::lock_guard lock(state_.mutex);
      auto place = static_cast<size_t>(std::max<int64_t>(from, 1) - 1);
      for (; shard == 0 && place < state_.log.size() && changes.size() < limit; ++place) {
        changes.push_back(state_.log[place]);
      }
    }
    std::move(done)(std::move(changes));
  }

 private:
  State& state_;
};

class MemoryUsage final : public Usage {
 public:
  explicit MemoryUsage(State& state) : state_(state) {}

  void Write(std::vector<UsageMark> marks, Callback<Status> done) override {
    {
      std::lock_guard lock(state_.mutex);
      const WallTime now = state_.clock.Now();
      for (const auto& mark : marks) {
        auto it = state_.keys.find(mark.key);
        if (it == state_.keys.end()) continue;
        auto& last = it->second.last_used_at;
        const WallTime at = std::min(mark.at, now);
        if (!last || *last < at) last = at;
      }
    }
    std::move(done)(Status());
  }

 private:
  State& state_;
};

class MemoryAudit final : public Audit {
 public:
  explicit MemoryAudit(State& state) : state_(state) {}

  void List(AuditQuery query, Callback<Result<std::vector<AuditRecord>>> done) override {
    std::vector<AuditRecord> found;
    {
      std::lock_guard lock(state_.mutex);
      for (auto it = state_.audit.rbegin(); it != state_.audit.rend(); ++it) {
        if (found.size() == query.limit) break;
        const bool matches = it->account == query.account &&
                             (!query.before || it->number < *query.before) &&
                             (!query.subject || it->subject == *query.subject) &&
                             (!query.action || it->action == *query.action);
        if (matches) found.push_back(*it);
      }
    }
    std::move(done)(std::move(found));
  }

  void ReadHead(Callback<Result<AuditHead>> done) override {
    AuditHead head;
    {
      std::lock_guard lock(state_.mutex);
      head = state_.audit_head;
    }
    std::move(done)(head);
  }

  void Verify(std::optional<key::Digest> anchor, Callback<Result<AuditVerdict>> done) override {
    AuditVerdict verdict;
    {
      std::lock_guard lock(state_.mutex);
      ChainVerifier verifier(state_.audit_checkpoint, anchor);
      for (const auto& record : state_.audit) {
        if (!verifier.Add(record)) break;
      }
      verdict = std::move(verifier).Finish(state_.audit_head);
    }
    std::move(done)(std::move(verdict));
  }

 private:
  State& state_;
};

class MemoryStore final : public Store {
 public:
  MemoryStore(const Clock& clock, Random& random) : state_(clock, random) { random.Fill(id_); }

  const Uuid& id() const override { return id_; }

  void Commit(Plan plan, Callback<Result<Committed>> done) override {
    Result<Committed> committed;
    {
      std::lock_guard lock(state_.mutex);
      committed = RunPlan(state_, plan);
    }
    std::move(done)(std::move(committed));
  }

  Keys& keys() override { return keys_; }
  Accounts& accounts() override { return accounts_; }
  ChangeLog& log() override { return log_; }
  Usage& usage() override { return usage_; }
  Audit& audit() override { return audit_; }

  void Backup(std::filesystem::path, Callback<Status> done) override {
    std::move(done)(InvalidArgument({}, "a store in memory has no backup"));
  }

 private:
  Uuid id_;
  State state_;
  MemoryKeys keys_{state_};
  MemoryAccounts accounts_{state_};
  MemoryLogReader log_{state_};
  MemoryUsage usage_{state_};
  MemoryAudit audit_{state_};
};

}  // namespace

std::unique_ptr<Store> Create(const Clock& clock, Random& random) {
  return std::make_unique<MemoryStore>(clock, random);
}

}  // namespace p402::store::memory
