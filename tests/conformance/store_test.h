#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/testing/fakes.h"
#include "store/store.h"
#include "store/testing/driver.h"

// The suite that every store passes. A backend's file says how to make one and instantiates it.
namespace p402::conformance {

// One store under test, with what surrounds it.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual store::Store& store() = 0;
  // Closes the store (its destructor finishes what it accepted) and, if it is durable, opens it
  // again. False: it forgets everything at the end.
  virtual bool Reopen() = 0;
  virtual bool has_backup() const = 0;
};
using MakeBackend = std::function<std::unique_ptr<Backend>(const Clock&, Random&)>;

struct Param {
  std::string name;
  MakeBackend make;
};
inline std::string NameOf(const ::testing::TestParamInfo<Param>& info) {
  return info.param.name;
}

class StoreTest : public ::testing::TestWithParam<Param> {
 protected:
  StoreTest();

  store::Store& store() { return backend_->store(); }

  Result<store::Committed> Commit(store::Plan plan);
  // Commits exactly this.
  Result<store::Committed> Commit(store::Writes writes);
  // The same, and it must succeed.
  store::Committed Write(store::Writes writes);

  // An account that is in the store, and its first key.
  key::AccountId AddAccount(bool is_first = false);
  // A record that is in no store yet.
  key::Record NewKey(const key::AccountId& account, std::string name = "a key");
  key::Record AddKey(const key::AccountId& account, std::string name = "a key");
  key::Record AddKey(key::Record record);
  key::Record Revoke(key::Record record);

  std::optional<key::Record> Get(const key::Record& record);
  store::KeyPage List(store::KeyPageRequest request);
  std::vector<key::Record> Scan(key::KeyId after = {}, size_t limit = 1000);
  std::vector<store::Change> ReadLog(int64_t from = 1, size_t limit = 100'000);
  store::Head ReadHead();
  void Mark(std::vector<store::UsageMark> marks);
  std::vector<store::AuditRecord> ReadAudit(store::AuditQuery query);
  store::AuditHead ReadAuditHead();
  store::AuditVerdict Verify(std::optional<key::Digest> anchor = {});
  int64_t Prune(WallTime before);

  p402::testing::FakeClock clock_;
  p402::testing::SeededRandom random_;
  Uuid7Generator generator_{clock_, random_};
  TaskThread executor_{"test", clock_};
  std::unique_ptr<Backend> backend_;
};

store::AuditRecord AuditOf(const key::AccountId& account, std::string action,
                           std::string subject = {});
store::Writes KeyChange(key::Record record, store::ChangeKind kind);

// One suite per file.
class CommitConformance : public StoreTest {};
class LogConformance : public StoreTest {};
class ListConformance : public StoreTest {};
class UsageConformance : public StoreTest {};
class AuditConformance : public StoreTest {};
class ConcurrencyConformance : public StoreTest {};
class ModelConformance : public StoreTest {};

}  // namespace p402::conformance

#define P402_RUN_STORE_CONFORMANCE(param)                                                    \
  INSTANTIATE_TEST_SUITE_P(Store, CommitConformance, ::testing::Values(param), NameOf);      \
  INSTANTIATE_TEST_SUITE_P(Store, LogConformance, ::testing::Values(param), NameOf);         \
  INSTANTIATE_TEST_SUITE_P(Store, ListConformance, ::testing::Values(param), NameOf);        \
  INSTANTIATE_TEST_SUITE_P(Store, UsageConformance, ::testing::Values(param), NameOf);       \
  INSTANTIATE_TEST_SUITE_P(Store, AuditConformance, ::testing::Values(param), NameOf);       \
  INSTANTIATE_TEST_SUITE_P(Store, ConcurrencyConformance, ::testing::Values(param), NameOf); \
  INSTANTIATE_TEST_SUITE_P(Store, ModelConformance, ::testing::Values(param), NameOf)
