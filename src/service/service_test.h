#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/testing/fakes.h"
#include "feed/feed.h"
#include "service/accounts.h"
#include "service/audit.h"
#include "service/authenticator.h"
#include "service/keys.h"
#include "service/permissions.h"
#include "service/usage.h"
#include "service/verifier.h"
#include "store/memory/memory_store.h"
#include "store/testing/faulty_store.h"

namespace p402::service {

using store::testing::Call;
using store::testing::Fault;

// What a call completed with, if it has.
template <class T>
struct Outcome {
  std::optional<T> value;
  Callback<T> Into(Executor& executor) {
    return Callback<T>(executor, [this](T v) { value = std::move(v); });
  }
};

// "ok", or what went wrong: "code/reason/field".
template <class T>
std::string Say(const Result<T>& result) {
  if (result) return "ok";
  const Error& error = result.error();
  static constexpr const char* kNames[] = {
      "",         "invalid",   "unauthenticated", "denied",      "not_found",
      "conflict", "too_large", "exhausted",       "unavailable", "locked",
      "corrupt",  "io",        "internal"};
  std::string text = kNames[static_cast<size_t>(error.code)];
  if (!error.reason.empty()) text += "/" + std::string(error.reason);
  if (!error.field.empty()) text += "/" + error.field;
  return text;
}

inline key::IpAddress Ip(std::string_view text) {
  return *key::IpAddress::Parse(text);
}
inline key::ScopeSet Scopes(const std::vector<std::string>& scopes) {
  return *key::ScopeSet::Parse(scopes);
}
inline key::CidrSet Cidrs(const std::vector<std::string>& cidrs) {
  return *key::CidrSet::Parse(cidrs);
}

// The settings of a key that a test plants.
struct Seed {
  std::optional<key::AccountId> account = {};  // nullopt: the first
  key::Mode mode = key::Mode::kLive;
  key::ScopeSet scopes = {};
  key::CidrSet allowed_cidrs = {};
  key::Actor created_by = {};
  std::optional<WallTime> expires_at = {};
  bool is_disabled = false;
};

// One node with all services on a store in memory, driven step by step. The first account exists
// and `root_` calls with its first key.
class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() {
    auto first = Run<Result<CreatedAccount>>(
        [&](auto done) { accounts_.Bootstrap("first", std::move(done)); });
    EXPECT_EQ(Say(first), "ok");
    account_ = first->account.id;
    EXPECT_EQ(Say(Run<Status>([&](auto done) { feed_.Start(std::move(done)); })), "ok");
    root_ = As(first->key.raw_key.Reveal());
  }
  ~ServiceTest() override { feed_.Stop(); }

  // Runs until nothing is left to do; the call must have completed.
  template <class T, class Call>
  T Run(Call call) {
    Outcome<T> outcome;
    call(outcome.Into(scheduler_));
    scheduler_.RunUntilIdle();
    EXPECT_TRUE(outcome.value) << "the call has not completed";
    return *std::move(outcome.value);
  }

  Caller As(std::string_view raw_key, std::optional<key::IpAddress> ip = Ip("10.1.2.3")) {
    auto caller = authenticator_.Authenticate(raw_key, ip, "req-1");
    EXPECT_EQ(Say(caller), "ok");
    return caller ? *caller : Caller{};
  }
  // A key of any kind, put into the store without asking anybody.
  Caller Plant(const Seed& seed) {
    key::Record record{.id = key::KeyId::New(ids_), .account = seed.account.value_or(account_)};
    random_.Fill(record.digest);
    record.name = "planted";
    record.mode = seed.mode;
    record.scopes = seed.scopes;
    record.allowed_cidrs = seed.allowed_cidrs;
    record.created_at = clock_.Now();
    record.created_by = seed.created_by;
    record.expires_at = seed.expires_at;
    record.is_disabled = seed.is_disabled;
    Write(record);
    return {.record = std::make_shared<key::Record>(record),
            .ip = Ip("10.1.2.3"),
            .request_id = "req-2"};
  }
  Caller PlantScopes(const std::vector<std::string>& scopes) {
    return Plant({.scopes = Scopes(scopes)});
  }
  void Write(const key::Record& record) { Write(std::vector<key::Record>{record}); }
  void Write(const std::vector<key::Record>& records) {
    store::Writes writes;
    for (const auto& record : records) writes.keys.push_back({.record = record});
    writes.audit.push_back({.account = account_, .action = "plant", .details = "{}"});
    auto plan = [&](store::Transaction&) -> Result<store::Writes> { return writes; };
    auto committed =
        Run<Result<store::Committed>>([&](auto done) { memory_->Commit(plan, std::move(done)); });
    ASSERT_EQ(Say(committed), "ok");
    auto reached = Run<Result<feed::BarrierReport>>(
        [&](auto done) { feed_.Barrier(committed->seq, std::move(done)); });
    ASSERT_EQ(Say(reached), "ok");
  }
  key::AccountId OtherAccount() {
    auto other = Run<Result<CreatedAccount>>(
        [&](auto done) { accounts_.Create(root_, "other", std::move(done)); });
    return other->account.id;
  }

  Result<CreatedKey> Create(const Caller& caller, CreateRequest request,
                            Wait wait = Wait::kEnforced) {
    return Run<Result<CreatedKey>>(
        [&](auto done) { keys_.Create(caller, std::move(request), wait, std::move(done)); });
  }
  Result<KeyResult> Update(const Caller& caller, const key::KeyId& id, UpdateRequest request) {
    return Run<Result<KeyResult>>([&](auto done) {
      keys_.Update(caller, id, std::move(request), Wait::kEnforced, std::move(done));
    });
  }
  Result<RevokeResult> Revoke(const Caller& caller, const key::KeyId& id,
                              RevokeRequest request = {}, Wait wait = Wait::kEnforced) {
    return Run<Result<RevokeResult>>(
        [&](auto done) { keys_.Revoke(caller, id, std::move(request), wait, std::move(done)); });
  }
  Result<CreatedKey> Rotate(const Caller& caller, const key::KeyId& id, Millis grace = Millis(0)) {
    return Run<Result<CreatedKey>>(
        [&](auto done) { keys_.Rotate(caller, id, grace, Wait::kEnforced, std::move(done)); });
  }
  Result<key::Record> Get(const Caller& caller, const key::KeyId& id) {
    return Run<Result<key::Record>>([&](auto done) { keys_.Get(caller, id, std::move(done)); });
  }
  Result<ListResult> List(const Caller& caller, ListRequest request = {}) {
    return Run<Result<ListResult>>(
        [&](auto done) { keys_.List(caller, request, std::move(done)); });
  }
  // The record as the store holds it.
  key::Record Stored(const key::KeyId& id, std::optional<key::AccountId> account = {}) {
    auto found = Run<Result<std::optional<key::Record>>>(
        [&](auto done) { memory_->keys().Get(account.value_or(account_), id, std::move(done)); });
    EXPECT_TRUE(found && *found);
    return found && *found ? **found : key::Record{};
  }
  std::string AskRaw(std::string_view raw_key, const key::Question& question) {
    auto answer = verifier_.Verify(raw_key, question);
    return answer ? std::string(key::DecisionName(answer->decision)) : "unavailable";
  }
  std::string Ask(std::string_view raw_key) { return AskRaw(raw_key, {.ip = Ip("10.1.2.3")}); }
  std::vector<store::AuditRecord> Trail(std::optional<key::AccountId> account = {}) {
    auto records = Run<Result<std::vector<store::AuditRecord>>>([&](auto done) {
      memory_->audit().List({.account = account.value_or(account_), .limit = 100'000},
                            std::move(done));
    });
    return *std::move(records);
  }
  int64_t LogEnd() {
    auto head =
        Run<Result<store::Head>>([&](auto done) { memory_->log().ReadHead(0, std::move(done)); });
    return head->seq;
  }

  testing::FakeClock clock_;
  testing::SeededRandom random_;
  Uuid7Generator ids_{clock_, random_};
  testing::ManualScheduler scheduler_{clock_};
  testing::MemoryLog log_;
  std::unique_ptr<Metrics> metrics_ = Metrics::Create();
  std::unique_ptr<store::Store> memory_ = store::memory::Create(clock_, random_);
  store::testing::FaultyStore store_{*memory_};
  index::Index index_{"p402"};
  feed::Feed feed_{store_, index_, scheduler_, clock_, log_, *metrics_};
  UsageWriter usage_{index_, store_, scheduler_, clock_, log_, *metrics_};
  Authenticator authenticator_{index_, feed_, clock_};
  Verifier verifier_{index_, feed_, clock_};
  Keys keys_{{.brand = "p402", .usage = &usage_},
             store_,
             feed_,
             index_,
             clock_,
             random_,
             ids_,
             log_,
             *metrics_};
  Accounts accounts_{{}, store_, feed_, clock_, random_, ids_};
  Audit audit_{store_, random_, log_};
  key::AccountId account_;
  Caller root_;
};

}  // namespace p402::service
