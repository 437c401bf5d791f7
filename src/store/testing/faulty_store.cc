#include "store/testing/faulty_store.h"

#include <deque>
#include <utility>

namespace p402::store::testing {
namespace {

struct Planned {
  Fault fault;
  int first;  // in calls of this kind
  int last;
  Error error;
};

}  // namespace

struct FaultyStore::Impl {
  explicit Impl(Store& a_store) : store(a_store) {}

  // Runs `call` with `done`, or what was injected for it.
  template <class T, class Function>
  void Pass(Call kind, Callback<T> done, Function call) {
    const auto planned = Next(kind);
    if (!planned) {
      call(std::move(done));
      return;
    }
    Executor& executor = done.executor();
    switch (planned->fault) {
      case Fault::kFail:
        std::move(done)(Failure(planned->error));
        return;
      case Fault::kLoseAnswer:
        call(Callback<T>(executor, [done = std::move(done), error = planned->error](T) mutable {
          std::move(done)(Failure(std::move(error)));
        }));
        return;
      case Fault::kDelay:
        Hold([call = std::move(call), done = std::move(done)]() mutable { call(std::move(done)); });
        return;
      case Fault::kDelayAnswer:
        call(Callback<T>(executor, [this, done = std::move(done)](T value) mutable {
          Hold([done = std::move(done), value = std::move(value)]() mutable {
            std::move(done)(std::move(value));
          });
        }));
        return;
    }
  }

  std::optional<Planned> Next(Call kind) {
    std::lock_guard lock(mutex);
    const int number = ++counts[kind];
    for (const auto& planned : faults[kind]) {
      if (number >= planned.first && number <= planned.last) return planned;
    }
    return std::nullopt;
  }

  void Hold(Task task) {
    std::lock_guard lock(mutex);
    held.push_back(std::move(task));
  }

  Store& store;
  mutable std::mutex mutex;
  std::map<Call, int> counts;
  std::map<Call, std::vector<Planned>> faults;
  std::deque<Task> held;

  struct FaultyKeys final : Keys {
    explicit FaultyKeys(Impl& an_impl) : impl(an_impl) {}
    void Get(const key::AccountId& account, const key::KeyId& id,
             Callback<Result<std::optional<key::Record>>> done) override {
      impl.Pass(Call::kGet, std::move(done), [this, account, id](auto then) {
        impl.store.keys().Get(account, id, std::move(then));
      });
    }
    void List(KeyPageRequest request, Callback<Result<KeyPage>> done) override {
      impl.Pass(Call::kListKeys, std::move(done), [this, request = std::move(request)](auto then) {
        impl.store.keys().List(request, std::move(then));
      });
    }
    void Scan(const key::KeyId& after, size_t limit,
              Callback<Result<std::vector<key::Record>>> done) override {
      impl.Pass(Call::kScan, std::move(done), [this, after, limit](auto then) {
        impl.store.keys().Scan(after, limit, std::move(then));
      });
    }
    void Count(Callback<Result<int64_t>> done) override {
      impl.Pass(Call::kCount, std::move(done),
                [this](auto then) { impl.store.keys().Count(std::move(then)); });
    }
    Impl& impl;
  };

  struct FaultyAccounts final : Accounts {
    explicit FaultyAccounts(Impl& an_impl) : impl(an_impl) {}
    void List(Callback<Result<std::vector<Account>>> done) override {
      impl.Pass(Call::kListAccounts, std::move(done),
                [this](auto then) { impl.store.accounts().List(std::move(then)); });
    }
    Impl& impl;
  };

  struct FaultyLog final : ChangeLog {
    explicit FaultyLog(Impl& an_impl) : impl(an_impl) {}
    void ReadHead(int32_t shard, Callback<Result<Head>> done) override {
      impl.Pass(Call::kReadHead, std::move(done),
                [this, shard](auto then) { impl.store.log().ReadHead(shard, std::move(then)); });
    }
    void Read(int32_t shard, int64_t from, size_t limit,
              Callback<Result<std::vector<Change>>> done) override {
      impl.Pass(Call::kReadLog, std::move(done), [this, shard, from, limit](auto then) {
        impl.store.log().Read(shard, from, limit, std::move(then));
      });
    }
    Impl& impl;
  };

  struct FaultyUsage final : Usage {
    explicit FaultyUsage(Impl& an_impl) : impl(an_impl) {}
    void Write(std::vector<UsageMark> marks, Callback<Status> done) override {
      impl.Pass(Call::kWriteUsage, std::move(done), [this, marks = std::move(marks)](auto then) {
        impl.store.usage().Write(marks, std::move(then));
      });
    }
    Impl& impl;
  };

  struct FaultyAudit final : Audit {
    explicit FaultyAudit(Impl& an_impl) : impl(an_impl) {}
    void List(AuditQuery query, Callback<Result<std::vector<AuditRecord>>> done) override {
      impl.Pass(Call::kListAudit, std::move(done), [this, query = std::move(query)](auto then) {
        impl.store.audit().List(query, std::move(then));
      });
    }
    void ReadHead(Callback<Result<AuditHead>> done) override {
      impl.Pass(Call::kAuditHead, std::move(done),
                [this](auto then) { impl.store.audit().ReadHead(std::move(then)); });
    }
    void Verify(std::optional<key::Digest> anchor, Callback<Result<AuditVerdict>> done) override {
      impl.Pass(Call::kVerify, std::move(done),
                [this, anchor](auto then) { impl.store.audit().Verify(anchor, std::move(then)); });
    }
    Impl& impl;
  };

  FaultyKeys keys{*this};
  FaultyAccounts accounts{*this};
  FaultyLog log{*this};
  FaultyUsage usage{*this};
  FaultyAudit audit{*this};
};

FaultyStore::FaultyStore(Store& store) : impl_(std::make_unique<Impl>(store)) {}
FaultyStore::~FaultyStore() = default;

void FaultyStore::Inject(Call call, Fault fault, int nth, int count, Error error) {
  std::lock_guard lock(impl_->mutex);
  const int first = impl_->counts[call] + nth;
  impl_->faults[call].push_back(
      {.fault = fault, .first = first, .last = first + count - 1, .error = std::move(error)});
}

void FaultyStore::Clear() {
  std::lock_guard lock(impl_->mutex);
  impl_->faults.clear();
}

void FaultyStore::Release() {
  std::deque<Task> held;
  {
    std::lock_guard lock(impl_->mutex);
    held.swap(impl_->held);
  }
  for (auto& task : held) task();
}

size_t FaultyStore::delayed() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->held.size();
}

int FaultyStore::calls(Call call) const {
  std::lock_guard lock(impl_->mutex);
  const auto it = impl_->counts.find(call);
  return it == impl_->counts.end() ? 0 : it->second;
}

const Uuid& FaultyStore::id() const {
  return impl_->store.id();
}

void FaultyStore::Commit(Plan plan, Callback<Result<Committed>> done) {
  impl_->Pass(Call::kCommit, std::move(done), [this, plan = std::move(plan)](auto then) mutable {
    impl_->store.Commit(std::move(plan), std::move(then));
  });
}

Keys& FaultyStore::keys() {
  return impl_->keys;
}
Accounts& FaultyStore::accounts() {
  return impl_->accounts;
}
ChangeLog& FaultyStore::log() {
  return impl_->log;
}
Usage& FaultyStore::usage() {
  return impl_->usage;
}
Audit& FaultyStore::audit() {
  return impl_->audit;
}

void FaultyStore::Backup(std::filesystem::path target, Callback<Status> done) {
  impl_->Pass(Call::kBackup, std::move(done), [this, target = std::move(target)](auto then) {
    impl_->store.Backup(target, std::move(then));
  });
}

}  // namespace p402::store::testing
