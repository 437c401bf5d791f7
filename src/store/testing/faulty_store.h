#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/executor.h"
#include "store/store.h"

namespace p402::store::testing {

// The kinds of call that can be made to fail or to wait.
enum class Call {
  kCommit,
  kGet,
  kListKeys,
  kScan,
  kCount,
  kListAccounts,
  kReadHead,
  kReadLog,
  kWriteUsage,
  kListAudit,
  kAuditHead,
  kVerify,
  kBackup,
};

// What happens to a call.
enum class Fault {
  kFail,         // completes with the error; the store behind is not asked
  kLoseAnswer,   // the store behind does it, but the caller gets the error (outcome unknown)
  kDelay,        // not even passed on until Release()
  kDelayAnswer,  // done at once, but the answer waits until Release()
};

// A store that forwards to another and fails or delays the calls that it is told to.
// Threads:  safe to call concurrently.
// Lifetime: `store` outlives it. What is still delayed at destruction is dropped unanswered:
// Release() first.
class FaultyStore final : public Store {
 public:
  explicit FaultyStore(Store& store);
  ~FaultyStore() override;

  // The `nth` call of this kind from now on (1: the next one) meets the fault, and so do the
  // `count` - 1 after it.
  void Inject(Call call, Fault fault, int nth = 1, int count = 1,
              Error error = {.code = ErrorCode::kUnavailable, .detail = "injected"});
  // Forgets every fault that has not struck.
  void Clear();
  // Lets the delayed calls and answers go, in order.
  void Release();
  // How many calls or answers are held.
  size_t delayed() const;
  // How many calls of this kind there were.
  int calls(Call call) const;

  const Uuid& id() const override;
  void Commit(Plan plan, Callback<Result<Committed>> done) override;
  Keys& keys() override;
  Accounts& accounts() override;
  ChangeLog& log() override;
  Usage& usage() override;
  Audit& audit() override;
  void Backup(std::filesystem::path target, Callback<Status> done) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace p402::store::testing
