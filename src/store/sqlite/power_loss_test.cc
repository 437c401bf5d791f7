#include <algorithm>
#include <future>
#include <map>
#include <random>
#include <set>

#include "store/sqlite/journal.h"
#include "store/sqlite/store_test.h"
#include "store/testing/fault_vfs.h"

namespace p402::store::sqlite {
namespace {

using store::testing::FaultVfs;

constexpr int kRounds = 200;
constexpr int kRoundsPerStore = 20;  // a small store keeps the checks fast
constexpr int kChangesPerRound = 24;

// What the store has acknowledged, and so may never lose.
struct Acknowledged {
  std::set<key::KeyId> keys;
  std::set<key::KeyId> revoked;
  std::set<key::KeyId> restricted;
  std::map<key::KeyId, WallTime> marks;
  int64_t audit_number = 0;
  key::Digest audit_hash{};
};

struct Losses {
  int keys = 0;
  int revocations = 0;
  int restrictions = 0;
  int journal_lines = 0;
  int marks = 0;
  int audit_records = 0;
  int broken_chains = 0;
  int total() const {
    return keys + revocations + restrictions + journal_lines + marks + audit_records +
           broken_chains;
  }
};

// Makes changes while the power goes at a random moment, again and again, and counts what is lost
// of what was acknowledged.
class PowerLossTest : public SqliteTest {
 protected:
  Losses Run(bool synchronous_full, uint64_t seed) {
    SCOPED_TRACE(seed);
    synchronous_full_ = synchronous_full;
    engine_.seed(seed);
    for (int round = 0; round < kRounds && !HasFatalFailure(); ++round) {
      if (round % kRoundsPerStore == 0) Begin();
      Work();
      vfs_->Heal();
      vfs_->RestorePower(engine_());
      CheckJournal();
      CheckStore();
    }
    return losses_;
  }

  // How many changes were acknowledged in all.
  size_t keys_ = 0;
  size_t revocations_ = 0;
  size_t restrictions_ = 0;
  size_t marks_ = 0;

 private:
  void Begin() {
    data_ = std::make_unique<store::testing::TempFolder>();
    vfs_ = std::make_unique<FaultVfs>();
    acknowledged_ = {};
    live_.clear();
    new_keys_.clear();
    auto store = OpenFaulty();
    ASSERT_TRUE(store);
    account_ = *driver_.AddAccount(*store);
  }

  std::unique_ptr<Store> OpenFaulty() {
    auto opened = TryOpen(
        {.folder = data_->path(), .vfs = vfs_->name(), .synchronous_full = synchronous_full_});
    return opened ? *std::move(opened) : nullptr;
  }

  // One round of changes: eight at a time, so that some share a commit. Ends without power.
  void Work() {
    vfs_->FailAt(1 + static_cast<int64_t>(engine_() % 500), FaultVfs::Fault::kPowerLoss);
    auto store = OpenFaulty();
    if (!store) return;  // it went while the store opened
    for (int i = 0; i < kChangesPerRound; i += 8) {
      driver_.clock().Advance(Millis(10));
      std::vector<std::promise<void>> answers(8);
      for (auto& answer : answers) Change(*store, answer);
      for (auto& answer : answers) answer.get_future().wait();
      ReadAuditHead(*store);
    }
    vfs_->FailAt(1, FaultVfs::Fault::kPowerLoss);  // before it can close cleanly
  }

  void Change(Store& store, std::promise<void>& answer) {
    const auto choice = engine_() % 5;
    if (choice == 0 && !live_.empty()) {
      key::Record record = live_.begin()->second;
      live_.erase(live_.begin());
      record.revoked_at = driver_.clock().Now();
      Commit(store, record, ChangeKind::kRevoke, answer);
    } else if (choice == 1 && !live_.empty()) {
      Mark(store, live_.rbegin()->first, answer);
    } else if (choice == 2 && !live_.empty()) {
      // One that is not restricted yet, if there is one.
      const auto it =
          std::ranges::find_if(live_, [](const auto& e) { return !e.second.is_disabled; });
      key::Record record = it == live_.end() ? live_.begin()->second : it->second;
      live_.erase(record.id);
      record.is_disabled = true;
      Commit(store, record, ChangeKind::kRestrict, answer);
    } else {
      Commit(store, driver_.NewKey(account_), ChangeKind::kPermit, answer);
    }
  }

  void Commit(Store& store, const key::Record& record, ChangeKind kind,
              std::promise<void>& answer) {
    using store::testing::Driver;
    store.Commit(Driver::PlanOf(Driver::ChangeOf(record, kind)),
                 Callback<Result<Committed>>(driver_.executor(),
                                             [this, record, &answer](Result<Committed> result) {
                                               if (result) Acknowledge(record);
                                               answer.set_value();
                                             }));
  }

  void Acknowledge(const key::Record& record) {
    if (record.revoked_at) {
      acknowledged_.revoked.insert(record.id);
      ++revocations_;
    } else if (record.is_disabled) {
      acknowledged_.restricted.insert(record.id);
      ++restrictions_;
    } else {
      acknowledged_.keys.insert(record.id);
      ++keys_;
    }
    new_keys_.push_back(record);
  }

  void Mark(Store& store, const key::KeyId& id, std::promise<void>& answer) {
    const WallTime at = driver_.clock().Now();
    store.usage().Write({{.key = id, .at = at}},
                        Callback<Status>(driver_.executor(), [this, id, at, &answer](Status done) {
                          if (done) acknowledged_.marks[id] = at;
                          if (done) ++marks_;
                          answer.set_value();
                        }));
  }

  // A read shows only what is durable, so that the head may be relied on like an answer.
  void ReadAuditHead(Store& store) {
    for (const auto& record : new_keys_) {
      if (!record.revoked_at) live_[record.id] = record;
    }
    new_keys_.clear();
    const auto head = driver_.AuditHeadOf(store);
    if (!head) return;
    acknowledged_.audit_number = head->number;
    acknowledged_.audit_hash = head->hash;
  }

  // Before anything repairs it.
  void CheckJournal() {
    const auto journal = ReadJournal(data_->path());
    ASSERT_TRUE(journal) << journal.error().detail;
    std::set<key::KeyId> found;
    for (const auto& revocation : journal->lines.revocations) found.insert(revocation.key);
    for (const auto& id : acknowledged_.revoked) losses_.journal_lines += !found.contains(id);
    found.clear();
    for (const auto& restriction : journal->lines.restrictions) found.insert(restriction.key);
    for (const auto& id : acknowledged_.restricted) losses_.journal_lines += !found.contains(id);
  }

  void CheckStore() {
    auto store = OpenFaulty();
    ASSERT_TRUE(store) << "after a power loss the store opens";
    auto records = Await<Result<std::vector<key::Record>>>(
        driver_.executor(), [&](auto done) { store->keys().Scan({}, 1'000'000, std::move(done)); });
    ASSERT_TRUE(records);
    std::map<key::KeyId, key::Record> found;
    for (auto& record : *records) found[record.id] = record;
    for (const auto& id : acknowledged_.keys) losses_.keys += !found.contains(id);
    for (const auto& id : acknowledged_.revoked) {
      losses_.revocations += !found.contains(id) || !found[id].revoked_at;
    }
    for (const auto& id : acknowledged_.restricted) {
      losses_.restrictions += !found.contains(id) || !found[id].is_disabled;
    }
    for (const auto& [id, at] : acknowledged_.marks) {
      losses_.marks +=
          !found.contains(id) || !found[id].last_used_at || *found[id].last_used_at < at;
    }
    CheckHistory(*store);
    Forgive(found);
  }

  void CheckHistory(Store& store) {
    std::optional<key::Digest> anchor;
    if (acknowledged_.audit_number > 0) anchor = acknowledged_.audit_hash;
    const auto verdict = driver_.Verify(store, anchor);
    ASSERT_TRUE(verdict);
    losses_.audit_records += anchor && !verdict->anchor_found;
    losses_.broken_chains += !verdict->is_intact && (!anchor || verdict->anchor_found);
    const auto log = driver_.ReadLog(store);
    ASSERT_TRUE(log);
    for (size_t i = 0; i < log->size(); ++i) {
      if ((*log)[i].seq != static_cast<int64_t>(i) + 1) ++losses_.broken_chains;
    }
  }

  // What is lost counts once; the next round goes on from what is there.
  void Forgive(const std::map<key::KeyId, key::Record>& found) {
    auto is_lost = [&](const key::KeyId& id) { return !found.contains(id); };
    std::erase_if(acknowledged_.keys, is_lost);
    std::erase_if(acknowledged_.revoked, is_lost);
    std::erase_if(acknowledged_.restricted, is_lost);
    std::erase_if(acknowledged_.marks, [&](const auto& mark) {
      const auto it = found.find(mark.first);
      return it == found.end() || !it->second.last_used_at ||
             *it->second.last_used_at < mark.second;
    });
    acknowledged_.audit_number = 0;
    live_.clear();
    for (const auto& [id, record] : found) {
      if (!record.revoked_at) live_[id] = record;
    }
  }

  std::unique_ptr<store::testing::TempFolder> data_;
  bool synchronous_full_ = true;
  std::unique_ptr<FaultVfs> vfs_;
  std::mt19937_64 engine_;
  key::AccountId account_;
  std::map<key::KeyId, key::Record> live_;
  std::vector<key::Record> new_keys_;  // filled on the executor's thread, read between rounds
  Acknowledged acknowledged_;
  Losses losses_;
};

TEST_F(PowerLossTest, L2_NothingThatWasAnsweredIsLost) {
  const Losses losses = Run(/*synchronous_full=*/true, 402);
  EXPECT_EQ(losses.keys, 0);
  EXPECT_EQ(losses.revocations, 0);
  EXPECT_EQ(losses.restrictions, 0);
  EXPECT_EQ(losses.journal_lines, 0) << "C5";
  EXPECT_EQ(losses.marks, 0);
  EXPECT_EQ(losses.audit_records, 0) << "S1";
  EXPECT_EQ(losses.broken_chains, 0) << "S1";
  EXPECT_FALSE(HasLogged("store.revoked_again"));
  EXPECT_GT(keys_, 300u) << "there was something to lose";
  EXPECT_GT(revocations_, 100u);
  EXPECT_GT(restrictions_, 100u);
  EXPECT_GT(marks_, 100u);
}

// The same test must be able to fail.
TEST_F(PowerLossTest, L2_WithoutFullSyncTheLossesAreFound) {
  const Losses losses = Run(/*synchronous_full=*/false, 402);
  EXPECT_GT(losses.keys, 0);
  EXPECT_GT(losses.audit_records, 0);
}

}  // namespace
}  // namespace p402::store::sqlite
