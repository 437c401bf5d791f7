#include <algorithm>
#include <vector>

#include "store/sqlite/journal.h"
#include "store/sqlite/store_test.h"
#include "store/testing/fault_vfs.h"

namespace p402::store::sqlite {
namespace {

using store::testing::FaultVfs;
using store::testing::TempFolder;

// What one run of the scenario was told.
struct Told {
  enum Outcome { kNotTried, kDone, kRefused, kUnknown };
  Outcome account = kNotTried;
  Outcome create = kNotTried;
  Outcome revoke = kNotTried;
  Outcome mark = kNotTried;
  key::Record key;
};

template <class T>
Told::Outcome OutcomeOf(const Result<T>& result) {
  if (result) return Told::kDone;
  return result.error().detail.starts_with("outcome unknown") ? Told::kUnknown : Told::kRefused;
}

class FaultTest : public SqliteTest {
 protected:
  struct Plan {
    FaultVfs::Fault fault;
    FaultVfs::Duration duration;
  };

  Result<std::unique_ptr<Store>> OpenIn(const TempFolder& folder, const FaultVfs& vfs) {
    return TryOpen({.folder = folder.path(), .readers = 1, .vfs = vfs.name()});
  }

  // Opens a store, creates a key, marks it and revokes it; writes down what it was told.
  Told Run(const TempFolder& folder, const FaultVfs& vfs) {
    Told told;
    auto opened = OpenIn(folder, vfs);
    if (!opened) return told;
    Store& store = **opened;
    const auto account = driver_.AddAccount(store);
    told.account = OutcomeOf(account);
    if (!account) return told;
    told.key = driver_.NewKey(*account);
    told.create = OutcomeOf(
        driver_.Commit(store, store::testing::Driver::ChangeOf(told.key, ChangeKind::kPermit)));
    if (told.create == Told::kRefused) ExpectAbsent(store, told.key);
    if (told.create != Told::kDone) return told;
    told.mark = OutcomeOf(driver_.Mark(store, told.key.id));
    told.revoke = OutcomeOf(driver_.Revoke(store, told.key));
    if (told.revoke == Told::kRefused) ExpectRevoked(store, told.key, false);
    return told;
  }

  // After an error nothing of the change is visible: now, and after a restart. The reading itself
  // may meet the fault.
  void ExpectAbsent(Store& store, const key::Record& key) {
    auto found = driver_.Get(store, key);
    if (found) {
      EXPECT_FALSE(found->has_value());
    }
  }
  void ExpectRevoked(Store& store, const key::Record& key, bool is_revoked) {
    auto found = driver_.Get(store, key);
    if (!found) return;
    ASSERT_TRUE(found->has_value());
    EXPECT_EQ((*found)->revoked_at.has_value(), is_revoked);
  }

  void CheckAfterRestart(const TempFolder& folder, const FaultVfs& vfs, const Told& told) {
    auto opened = OpenIn(folder, vfs);
    ASSERT_TRUE(opened) << opened.error().detail;
    Store& store = **opened;
    const auto verdict = driver_.Verify(store);
    ASSERT_TRUE(verdict) << verdict.error().detail;
    EXPECT_TRUE(verdict->is_intact) << verdict->problem;
    const auto log = driver_.ReadLog(store);
    ASSERT_TRUE(log);
    EXPECT_EQ(static_cast<int64_t>(log->size()), verdict->head.number)
        << "each change of this scenario makes one log entry and one record, or neither";
    auto found = driver_.Get(store, told.key);
    ASSERT_TRUE(found);
    if (told.create == Told::kDone) {
      EXPECT_TRUE(found->has_value());
    }
    if (told.create == Told::kRefused || told.create == Told::kNotTried) {
      EXPECT_FALSE(found->has_value());
    }
    if (!found->has_value()) return;
    const bool is_revoked = (*found)->revoked_at.has_value();
    if (told.revoke == Told::kDone) {
      EXPECT_TRUE(is_revoked);
    }
    if (told.revoke == Told::kRefused) {
      EXPECT_FALSE(is_revoked);
    }
    if (told.mark == Told::kDone) {
      EXPECT_TRUE((*found)->last_used_at.has_value());
    }
    const auto journal = ReadJournal(folder.path());
    ASSERT_TRUE(journal);
    EXPECT_EQ(std::ranges::count(journal->lines.revocations, told.key.id, &Revocation::key) > 0,
              is_revoked);
    EXPECT_TRUE(driver_.AddAccount(store, /*is_first=*/false)) << "the store works again";
  }

  // Fails the first operation, then the second …, until the scenario does not reach the fault.
  void FailEach(Plan plan) {
    int refused = 0;
    int64_t nth = 1;
    for (bool has_struck = true; has_struck; ++nth) {
      SCOPED_TRACE(nth);
      TempFolder folder;
      FaultVfs vfs;
      vfs.FailAt(nth, plan.fault, plan.duration);
      const Told told = Run(folder, vfs);
      has_struck = vfs.has_struck();
      if (told.revoke != Told::kDone) ++refused;
      vfs.Heal();
      if (plan.fault == FaultVfs::Fault::kPowerLoss) {
        vfs.RestorePower(static_cast<uint64_t>(nth));
      }
      CheckAfterRestart(folder, vfs, told);
      if (HasFatalFailure()) return;
    }
    EXPECT_GT(nth, 50) << "the scenario does far more than that";
    EXPECT_GT(refused, 20) << "a fault that nobody notices proves nothing";
  }
};

TEST_F(FaultTest, S1_EveryOperationFailsOnce) {
  FailEach({.fault = FaultVfs::Fault::kIoError, .duration = FaultVfs::Duration::kOnce});
}

TEST_F(FaultTest, S1_EveryOperationFailsAndAllAfterIt) {
  FailEach({.fault = FaultVfs::Fault::kIoError, .duration = FaultVfs::Duration::kFromThenOn});
}

TEST_F(FaultTest, B_TheDiskIsFullFromEveryOperationOn) {
  FailEach({.fault = FaultVfs::Fault::kDiskFull, .duration = FaultVfs::Duration::kFromThenOn});
}

TEST_F(FaultTest, L2_ThePowerGoesAtEveryOperation) {
  FailEach({.fault = FaultVfs::Fault::kPowerLoss, .duration = FaultVfs::Duration::kFromThenOn});
}

TEST_F(FaultTest, B_AFullDiskIsResourceExhaustedAndHeals) {
  FaultVfs vfs;
  auto opened = OpenIn(folder_, vfs);
  ASSERT_TRUE(opened);
  auto account = driver_.AddAccount(**opened);
  ASSERT_TRUE(account);
  vfs.FailAt(1, FaultVfs::Fault::kDiskFull, FaultVfs::Duration::kFromThenOn);
  auto full = driver_.AddKey(**opened, *account);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kResourceExhausted) << full.error().detail;
  EXPECT_TRUE(HasLogged("store.write_failed"));
  vfs.Heal();
  EXPECT_TRUE(driver_.AddKey(**opened, *account));
}

// The change is durable, but not in the journal: the caller must not believe in the journal.
TEST_F(FaultTest, C5_ARevocationWithoutItsJournalLineIsNotAnswered) {
  FaultVfs vfs;
  auto opened = OpenIn(folder_, vfs);
  ASSERT_TRUE(opened);
  Store& store = **opened;
  const auto account = *driver_.AddAccount(store);
  const auto key = *driver_.AddKey(store, account);
  const auto other = *driver_.AddKey(store, account);
  // The last two operations of a revocation are the journal's write and sync.
  const int64_t before = vfs.operations();
  ASSERT_TRUE(driver_.Revoke(store, other));
  const int64_t needed = vfs.operations() - before;
  vfs.FailAt(needed, FaultVfs::Fault::kIoError);
  auto revoked = driver_.Revoke(store, key);
  ASSERT_TRUE(vfs.has_struck());
  ASSERT_FALSE(revoked);
  EXPECT_TRUE(revoked.error().detail.starts_with("outcome unknown: committed"))
      << revoked.error().detail;
  EXPECT_TRUE(HasLogged("store.journal_failed"));
  vfs.Heal();
  ASSERT_TRUE(driver_.Revoke(store, key)) << "the retry";
  const auto journal = ReadJournal(folder());
  ASSERT_TRUE(journal);
  EXPECT_EQ(std::ranges::count(journal->lines.revocations, key.id, &Revocation::key), 2);
  EXPECT_EQ(journal->bad_line, std::nullopt);
}

TEST_F(FaultTest, C5_ARestrictionWithoutItsJournalLineIsNotAnswered) {
  FaultVfs vfs;
  key::Record key;
  {
    auto opened = OpenIn(folder_, vfs);
    ASSERT_TRUE(opened);
    Store& store = **opened;
    key = *driver_.AddKey(store, *driver_.AddAccount(store));
    const auto other = *driver_.AddKey(store, key.account);
    auto disable = [&](key::Record record) {
      record.is_disabled = true;
      return driver_.Commit(store, store::testing::Driver::ChangeOf(record, ChangeKind::kRestrict));
    };
    const int64_t before = vfs.operations();
    ASSERT_TRUE(disable(other));
    vfs.FailAt(vfs.operations() - before, FaultVfs::Fault::kIoError,
               FaultVfs::Duration::kFromThenOn);
    const auto disabled = disable(key);
    ASSERT_FALSE(disabled);
    EXPECT_TRUE(disabled.error().detail.starts_with("outcome unknown: committed"))
        << disabled.error().detail;
  }
  vfs.Heal();
  ASSERT_TRUE(OpenIn(folder_, vfs));
  const auto journal = ReadJournal(folder());
  ASSERT_TRUE(journal);
  EXPECT_EQ(std::ranges::count(journal->lines.restrictions, key.id, &Restriction::key), 1);
}

}  // namespace
}  // namespace p402::store::sqlite
