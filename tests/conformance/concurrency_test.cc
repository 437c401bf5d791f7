#include <atomic>
#include <future>
#include <latch>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "conformance/store_test.h"

namespace p402::conformance {
namespace {

constexpr int kThreads = 8;
constexpr int kPerThread = 40;

// Runs `work(thread)` on eight threads that start together.
void InParallel(const std::function<void(int)>& work) {
  std::latch start(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      work(i);
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_P(ConcurrencyConformance, R1_TheLogIsContiguousAndEveryCommitKnowsItsEntry) {
  const auto account = AddAccount();
  std::mutex mutex;
  std::map<int64_t, std::pair<uint64_t, std::string>> committed;  // seq: tag and key
  InParallel([&](int) {
    for (int i = 0; i < kPerThread; ++i) {
      const key::Record record = NewKey(account);
      auto result = Commit(KeyChange(record, store::ChangeKind::kPermit));
      ASSERT_TRUE(result) << result.error().detail;
      std::lock_guard lock(mutex);
      committed[result->seq] = {result->tag, record.id.ToString()};
    }
  });
  const auto log = ReadLog();
  ASSERT_EQ(log.size(), 1u + kThreads * kPerThread);
  std::set<uint64_t> tags;
  for (size_t i = 0; i < log.size(); ++i) {
    EXPECT_EQ(log[i].seq, static_cast<int64_t>(i) + 1);
    tags.insert(log[i].tag);
    if (i == 0) continue;
    EXPECT_EQ(committed[log[i].seq], std::pair(log[i].tag, log[i].subject));
  }
  EXPECT_EQ(tags.size(), log.size()) << "tags tell histories apart";
  EXPECT_EQ(committed.size(), static_cast<size_t>(kThreads * kPerThread));
  EXPECT_EQ(ReadHead().seq, static_cast<int64_t>(log.size()));
  EXPECT_TRUE(Verify().is_intact);
}

TEST_P(ConcurrencyConformance, R2_PlansAreSerial) {
  const auto account = AddAccount();
  const key::Record counter = AddKey(account, "0");
  InParallel([&](int) {
    for (int i = 0; i < kPerThread; ++i) {
      auto result = Commit(store::Plan([&](store::Transaction& transaction) {
        auto record = transaction.GetKey(counter.id);
        EXPECT_TRUE(record && *record);
        (*record)->name = std::to_string(std::stoi((*record)->name) + 1);
        return Result<store::Writes>(KeyChange(**record, store::ChangeKind::kUpdate));
      }));
      EXPECT_TRUE(result);
    }
  });
  EXPECT_EQ(Get(counter)->name, std::to_string(kThreads * kPerThread));
}

TEST_P(ConcurrencyConformance, R2_AFailingPlanDoesNotSpoilItsNeighbours) {
  const auto account = AddAccount();
  const key::Record taken = AddKey(account);
  std::atomic<int> failures = 0;
  InParallel([&](int thread) {
    for (int i = 0; i < kPerThread; ++i) {
      store::Writes writes = KeyChange(NewKey(account), store::ChangeKind::kPermit);
      if (thread % 2 == 0) {
        // Fails after its first key was written: that one must go too.
        key::Record twin = NewKey(account);
        twin.digest = taken.digest;
        writes.keys.push_back({.record = twin, .kind = store::ChangeKind::kPermit});
      }
      if (!Commit(writes)) ++failures;
    }
  });
  EXPECT_EQ(failures, kThreads * kPerThread / 2);
  EXPECT_EQ(Scan().size(), 1u + kThreads * kPerThread / 2);
  EXPECT_EQ(ReadLog().size(), 2u + kThreads * kPerThread / 2);
  EXPECT_EQ(ReadAuditHead().number, 2 + kThreads * kPerThread / 2);
  EXPECT_TRUE(Verify().is_intact);
}

TEST_P(ConcurrencyConformance, R5_WhatACommitAnsweredIsVisibleToEveryLaterRead) {
  const auto account = AddAccount();
  InParallel([&](int) {
    for (int i = 0; i < kPerThread; ++i) {
      const key::Record record = NewKey(account);
      auto result = Commit(KeyChange(record, store::ChangeKind::kPermit));
      ASSERT_TRUE(result);
      EXPECT_TRUE(Get(record));
      EXPECT_GE(ReadHead().seq, result->seq);
    }
  });
}

TEST_P(ConcurrencyConformance, L1_EverythingAtOnce) {
  const auto account = AddAccount();
  const key::Record record = AddKey(account);
  InParallel([&](int thread) {
    for (int i = 0; i < kPerThread / 4; ++i) {
      switch (thread % 4) {
        case 0:
          AddKey(account);
          break;
        case 1:
          Mark({{.key = record.id, .at = clock_.Now()}});
          clock_.Advance(Millis(1));
          break;
        case 2:
          List({.account = account, .limit = 5});
          Prune(clock_.Now() - Millis(5));
          break;
        default:
          EXPECT_TRUE(Verify().is_intact);
          ReadAudit({.account = account});
      }
    }
  });
  EXPECT_TRUE(Verify().is_intact);
}

TEST_P(ConcurrencyConformance, CallbacksRunOnTheirExecutor) {
  const auto account = AddAccount();
  TaskThread other("other", clock_);
  const auto thread_of = [](Executor& executor) {
    std::promise<std::thread::id> id;
    executor.Post([&] { id.set_value(std::this_thread::get_id()); });
    return id.get_future().get();
  };
  const auto expected = thread_of(other);
  ASSERT_NE(expected, thread_of(executor_));
  std::promise<std::thread::id> seen;
  store().keys().Count(Callback<Result<int64_t>>(
      other, [&](Result<int64_t>) { seen.set_value(std::this_thread::get_id()); }));
  EXPECT_EQ(seen.get_future().get(), expected);
  std::promise<std::thread::id> committed_on;
  store().Commit(
      [&](store::Transaction&) -> Result<store::Writes> {
        return KeyChange(NewKey(account), store::ChangeKind::kPermit);
      },
      Callback<Result<store::Committed>>(other, [&](Result<store::Committed>) {
        committed_on.set_value(std::this_thread::get_id());
      }));
  EXPECT_EQ(committed_on.get_future().get(), expected);
  backend_.reset();  // executors outlive the store
}

TEST_P(ConcurrencyConformance, TheDestructorFinishesWhatWasAccepted) {
  const auto account = AddAccount();
  constexpr int kChanges = 300;
  std::atomic<int> committed = 0;
  std::atomic<int> listed = 0;
  std::promise<void> all;
  auto count = [&](std::atomic<int>& counter) {
    ++counter;
    if (committed + listed == 2 * kChanges) all.set_value();
  };
  for (int i = 0; i < kChanges; ++i) {
    store().Commit(
        [change = KeyChange(NewKey(account), store::ChangeKind::kPermit)](
            store::Transaction&) -> Result<store::Writes> { return change; },
        Callback<Result<store::Committed>>(executor_, [&](Result<store::Committed> result) {
          EXPECT_TRUE(result);
          count(committed);
        }));
    store().keys().List({.account = account},
                        Callback<Result<store::KeyPage>>(executor_, [&](Result<store::KeyPage> r) {
                          EXPECT_TRUE(r);
                          count(listed);
                        }));
  }
  const bool is_durable = backend_->Reopen();
  all.get_future().get();
  EXPECT_EQ(committed, kChanges);
  EXPECT_EQ(listed, kChanges);
  if (!is_durable) return;
  EXPECT_EQ(Scan().size(), static_cast<size_t>(kChanges));
  EXPECT_TRUE(Verify().is_intact);
}

}  // namespace
}  // namespace p402::conformance
