#include <algorithm>
#include <atomic>
#include <fstream>
#include <map>
#include <thread>

#include "base/file.h"
#include "store/sqlite/audit_rows.h"
#include "store/sqlite/journal.h"
#include "store/sqlite/store_test.h"
#include "store/testing/fault_vfs.h"

namespace p402::store::sqlite {
namespace {

class RestoreTest : public SqliteTest {
 protected:
  // Two keys; a backup; then one of them is revoked and a third one comes and goes.
  void SetUp() override {
    auto store = OpenStore();
    auto account = driver_.AddAccount(*store);
    ASSERT_TRUE(account);
    kept_ = *driver_.AddKey(*store, *account);
    doomed_ = *driver_.AddKey(*store, *account);
    backup_at_ = driver_.clock().Now();
    ASSERT_TRUE(driver_.Backup(*store, backup()));
    driver_.clock().Advance(Millis(60'000));
    auto late = driver_.AddKey(*store, *account);
    ASSERT_TRUE(late && driver_.Revoke(*store, *late));
    late_ = *late;
    revoked_at_ = driver_.clock().Now();
    ASSERT_TRUE(driver_.Revoke(*store, doomed_));
    driver_.clock().Advance(Millis(60'000));
  }
  std::filesystem::path backup() const { return folder_of_backup_.path() / "backup.db"; }
  Result<RestoreReport> TryRestore(bool accept = false, std::filesystem::path to = {}) {
    return Restore(
        {.backup = backup(), .folder = to.empty() ? folder() : to, .accept_resurrection = accept},
        driver_.clock(), driver_.random(), log_);
  }
  // Every file of the data folder with its bytes.
  std::map<std::string, std::string> Snapshot() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder())) {
      files[entry.path().filename().string()] = *ReadFile(entry.path(), 1 << 24);
    }
    return files;
  }

  // Changes kept_ and returns it as it is then.
  key::Record Change(Store& store, ChangeKind kind, void (*change)(key::Record&)) {
    key::Record record = **driver_.Get(store, kept_);
    change(record);
    driver_.clock().Advance(Millis(1000));
    EXPECT_TRUE(driver_.Commit(store, store::testing::Driver::ChangeOf(record, kind)));
    return **driver_.Get(store, kept_);
  }
  // Of kept_, now: what it may do, without what a restore does not bring back.
  Restriction StateIn(Store& store) {
    auto found = driver_.Get(store, kept_);
    EXPECT_TRUE(found && *found);
    return StateOf(**found);
  }
  static Restriction StateOf(key::Record record) {
    record.version = 0;
    return RestrictionOf(record, 0, {});
  }

  store::testing::TempFolder folder_of_backup_;
  key::Record kept_;
  key::Record doomed_;
  key::Record late_;
  WallTime backup_at_;
  WallTime revoked_at_;
};

TEST_F(RestoreTest, C5_ABackupIsAWholeDatabaseInOneFile) {
  EXPECT_EQ(std::filesystem::status(backup()).permissions(), std::filesystem::perms(0600));
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_of_backup_.path())) {
    ++files;
    EXPECT_EQ(entry.path(), backup());
  }
  EXPECT_EQ(files, 1);
  EXPECT_TRUE(CheckHeader(backup()));
}

TEST_F(RestoreTest, C5_RevokedKeysStayRevoked) {
  auto report = TryRestore();
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_EQ(report->keys, 2);
  EXPECT_EQ(report->backup_at, backup_at_);
  EXPECT_EQ(report->journal_until, revoked_at_);
  EXPECT_EQ(report->revoked_again, std::vector{doomed_.id});

  auto store = OpenStore();
  ASSERT_TRUE(store);
  auto doomed = driver_.Get(*store, doomed_);
  ASSERT_TRUE(doomed && *doomed);
  EXPECT_EQ((*doomed)->revoked_at, revoked_at_);
  EXPECT_EQ(*driver_.Get(*store, kept_), kept_);
  EXPECT_EQ(*driver_.Get(*store, late_), std::nullopt);
  auto log = driver_.ReadLog(*store);
  ASSERT_TRUE(log);
  EXPECT_EQ(log->back().kind, ChangeKind::kRevoke);
  EXPECT_EQ(log->back().subject, doomed_.id.ToString());
  EXPECT_TRUE(driver_.Verify(*store)->is_intact);
  EXPECT_FALSE(HasLogged("store.revoked_again")) << "Restore did it, Open had nothing to do";
}

void Disable(key::Record& record) {
  record.is_disabled = true;
}
void Enable(key::Record& record) {
  record.is_disabled = false;
}
void Narrow(key::Record& record) {
  record.scopes = *key::ScopeSet::Parse(std::vector<std::string>{"models:read"});
  record.allowed_cidrs = *key::CidrSet::Parse(std::vector<std::string>{"10.0.0.0/8"});
}
void EndSoon(key::Record& record) {
  record.expires_at = record.created_at + Millis(90'000);
}

TEST_F(RestoreTest, C5_RestrictedKeysStayRestricted) {
  for (const auto change : {&Disable, &Narrow, &EndSoon}) {
    key::Record changed;
    WallTime changed_at;
    {
      auto store = OpenStore();
      changed = Change(*store, ChangeKind::kRestrict, change);
      changed_at = driver_.clock().Now();
    }
    auto report = TryRestore();
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(report->restricted_again, std::vector{kept_.id});
    EXPECT_EQ(report->revoked_again, std::vector{doomed_.id});
    EXPECT_EQ(report->journal_until, changed_at);
    auto store = OpenStore();
    EXPECT_EQ(StateIn(*store), StateOf(changed));
    auto log = driver_.ReadLog(*store);
    ASSERT_TRUE(log);
    EXPECT_EQ(log->back().kind, ChangeKind::kRestrict);
    EXPECT_EQ(log->back().subject, kept_.id.ToString());
    auto records = Await<Result<std::vector<AuditRecord>>>(driver_.executor(), [&](auto done) {
      store->audit().List({.account = kept_.account, .subject = kept_.id.ToString()},
                          std::move(done));
    });
    ASSERT_TRUE(records);
    EXPECT_EQ((*records)[0].action, "key.update");
    EXPECT_EQ((*records)[0].actor, (key::Actor{.kind = key::ActorKind::kSystem, .id = "restore"}));
    EXPECT_TRUE(driver_.Verify(*store)->is_intact);
    EXPECT_FALSE(HasLogged("store.revoked_again")) << "Restore did it, Open had nothing to do";
  }
}

TEST_F(RestoreTest, C5_TheLastRestrictionHoldsAndWhatWidenedAfterItIsLost) {
  Restriction last;
  {
    auto store = OpenStore();
    Change(*store, ChangeKind::kRestrict, &Disable);
    Change(*store, ChangeKind::kPermit, &Enable);
    last = StateOf(Change(*store, ChangeKind::kRestrict, &Narrow));
    Change(*store, ChangeKind::kPermit, [](key::Record& record) { record.scopes = {}; });
    Change(*store, ChangeKind::kUpdate, [](key::Record& record) { record.name = "new"; });
  }
  ASSERT_TRUE(TryRestore());
  auto store = OpenStore();
  EXPECT_EQ(StateIn(*store), last) << "enabled, because it was when it was narrowed";
  EXPECT_EQ((**driver_.Get(*store, kept_)).name, kept_.name);
}

TEST_F(RestoreTest, C5_ARestrictionInTheBackupIsNotAppliedAgain) {
  Restriction widened;
  {
    auto store = OpenStore();
    Change(*store, ChangeKind::kRestrict, &Disable);
    widened = StateOf(Change(*store, ChangeKind::kPermit, &Enable));
    std::filesystem::remove(backup());
    ASSERT_TRUE(driver_.Backup(*store, backup()));
  }
  auto report = TryRestore();
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_TRUE(report->restricted_again.empty());
  EXPECT_EQ(StateIn(*OpenStore()), widened);
}

// The numbers of the changes begin again where the backup ends, so they alone tell nothing.
TEST_F(RestoreTest, C5_AfterARestoreAKeyCanBeWidenedForGood) {
  {
    auto store = OpenStore();
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(driver_.AddKey(*store, kept_.account));
    Change(*store, ChangeKind::kRestrict, &Disable);
  }
  ASSERT_TRUE(TryRestore());
  {
    auto store = OpenStore();
    EXPECT_TRUE(StateIn(*store).is_disabled);
    Change(*store, ChangeKind::kPermit, &Enable);
  }
  EXPECT_FALSE(StateIn(*OpenStore()).is_disabled);
  EXPECT_FALSE(HasLogged("store.revoked_again"));
  driver_.clock().Advance(Millis(1));
  ASSERT_TRUE(TryRestore()) << "the same backup again";
  EXPECT_TRUE(StateIn(*OpenStore()).is_disabled);
}

TEST_F(RestoreTest, C5_AnotherHistoryWithTheSameNumbersKnowsNothingOfARestriction) {
  {
    auto store = OpenStore();
    Change(*store, ChangeKind::kRestrict, &Disable);
  }
  const auto elsewhere = folder_of_backup_.path() / "elsewhere";
  ASSERT_TRUE(TryRestore(/*accept=*/true, elsewhere));
  {
    auto store = TryOpen({.folder = elsewhere});
    ASSERT_TRUE(store);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(driver_.AddKey(**store, kept_.account));
    std::filesystem::remove(backup());
    ASSERT_TRUE(driver_.Backup(**store, backup()));
  }
  auto report = TryRestore();
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_EQ(report->restricted_again, std::vector{kept_.id});
  EXPECT_TRUE(StateIn(*OpenStore()).is_disabled);
}

TEST_F(RestoreTest, C5_AKeyThatWasRestrictedAndRevokedIsRevoked) {
  {
    auto store = OpenStore();
    const auto narrowed = Change(*store, ChangeKind::kRestrict, &Narrow);
    ASSERT_TRUE(driver_.Revoke(*store, narrowed));
    ASSERT_TRUE(driver_.AddKey(*store, kept_.account));
  }
  auto report = TryRestore();
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_EQ(report->revoked_again.size(), 2u);
  EXPECT_TRUE(report->restricted_again.empty());
  EXPECT_TRUE((*driver_.Get(*OpenStore(), kept_))->revoked_at);
}

TEST_F(RestoreTest, C5_MoreKeysThanOneTransactionTakes) {
  constexpr size_t kCount = 1001;
  Writes writes;
  {
    auto store = OpenStore();
    for (size_t i = 0; i < kCount; ++i) {
      auto one =
          store::testing::Driver::ChangeOf(driver_.NewKey(kept_.account), ChangeKind::kPermit);
      writes.keys.push_back(one.keys[0]);
      writes.audit.push_back(one.audit[0]);
    }
    ASSERT_TRUE(driver_.Commit(*store, writes));
    std::filesystem::remove(backup());
    ASSERT_TRUE(driver_.Backup(*store, backup()));
    for (auto& write : writes.keys) {
      write.record.is_disabled = true;
      write.kind = ChangeKind::kRestrict;
    }
    ASSERT_TRUE(driver_.Commit(*store, writes));
  }
  auto report = TryRestore();
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_EQ(report->restricted_again.size(), kCount);
  OpenStore();
  EXPECT_EQ(SqlInt("SELECT count(*) FROM keys WHERE is_disabled = 1"),
            static_cast<int64_t>(kCount));
}

TEST_F(RestoreTest, C5_ABackupOfAnOlderSchemaIsRestored) {
  {
    auto store = OpenStore();
    Change(*store, ChangeKind::kRestrict, &Disable);
  }
  {
    auto database = Database::Open({.file = backup()});
    ASSERT_TRUE(database);
    ASSERT_TRUE(
        (*database)->Execute("DROP INDEX log_restrictions; DROP INDEX keys_rotated_from; "
                             "DROP TABLE usage_log; PRAGMA user_version=2"));
  }
  auto report = TryRestore();
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_EQ(report->restricted_again, std::vector{kept_.id});
}

TEST_F(RestoreTest, C5_TheTrailTellsOfTheRestore) {
  ASSERT_TRUE(TryRestore());
  auto store = OpenStore();
  auto records = Await<Result<std::vector<AuditRecord>>>(driver_.executor(), [&](auto done) {
    store->audit().List({.account = kept_.account}, std::move(done));
  });
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 5u);
  EXPECT_EQ((*records)[0].action, "store.restore");
  EXPECT_EQ((*records)[1].action, "key.revoke");
  EXPECT_EQ((*records)[1].actor, (key::Actor{.kind = key::ActorKind::kSystem, .id = "restore"}));
  EXPECT_EQ((*records)[1].subject, doomed_.id.ToString());
}

TEST_F(RestoreTest, C5_TheOldDatabaseIsKept) {
  ASSERT_TRUE(TryRestore());
  std::vector<std::filesystem::path> kept;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    if (entry.path().filename().string().starts_with("p402.db.before-restore-")) {
      kept.push_back(entry.path());
    }
  }
  ASSERT_EQ(kept.size(), 1u);
  auto old = Database::Open({.file = kept[0], .access = Access::kReadImmutable});
  ASSERT_TRUE(old);
  EXPECT_EQ((*old)->ReadInt("SELECT count(*) FROM keys").value_or(-1), 3);
}

TEST_F(RestoreTest, C5_WithoutAJournalItRefusesAndNamesTheSpan) {
  std::filesystem::remove(folder() / kJournalName);
  const auto before = Snapshot();
  auto refused = TryRestore();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_EQ(refused.error().reason, "resurrection");
  EXPECT_NE(refused.error().public_message.find(FormatRfc3339(backup_at_)), std::string::npos);
  EXPECT_NE(refused.error().public_message.find(FormatRfc3339(driver_.clock().Now())),
            std::string::npos);
  EXPECT_EQ(Snapshot(), before) << "after an error the folder is as before";

  auto accepted = TryRestore(/*accept=*/true);
  ASSERT_TRUE(accepted) << accepted.error().detail;
  EXPECT_TRUE(accepted->revoked_again.empty());
  EXPECT_EQ(accepted->journal_until, std::nullopt);
  auto store = OpenStore();
  ASSERT_TRUE(store);
  EXPECT_FALSE((*driver_.Get(*store, doomed_))->revoked_at) << "as accepted";
}

TEST_F(RestoreTest, C5_AForeignOrDamagedJournalIsNoJournal) {
  const auto journal = folder() / kJournalName;
  const auto ours = *ReadFile(journal, 1 << 20);
  const auto lines = ours.substr(ours.find('\n') + 1);
  std::ofstream(journal) << FormatJournalHead({}) << lines;
  auto refused = TryRestore();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, "resurrection");
  std::string damaged = ours;
  damaged[ours.find('\n') + 3] ^= 1;
  std::ofstream(journal) << damaged;
  refused = TryRestore();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, "resurrection");
  EXPECT_TRUE(TryRestore(/*accept=*/true));
  EXPECT_TRUE(OpenStore());
}

TEST_F(RestoreTest, C5_IntoANewFolder) {
  const auto fresh = folder() / "fresh";
  ASSERT_FALSE(TryRestore(/*accept=*/false, fresh));
  EXPECT_FALSE(std::filesystem::exists(fresh)) << "as before";
  auto report = TryRestore(/*accept=*/true, fresh);
  ASSERT_TRUE(report) << report.error().detail;
  auto store = TryOpen({.folder = fresh, .create = false});
  ASSERT_TRUE(store) << store.error().detail;
  EXPECT_EQ(*driver_.Get(**store, kept_), kept_);
}

TEST_F(RestoreTest, C5_RefusesWhatIsNoIntactBackup) {
  const auto whole = *ReadFile(backup(), 1 << 24);
  const auto before = Snapshot();
  std::ofstream(backup()) << "not a database";
  EXPECT_EQ(TryRestore().error().code, ErrorCode::kCorrupt);
  std::ofstream(backup(), std::ios::binary) << whole.substr(0, whole.size() / 2);
  EXPECT_EQ(TryRestore().error().code, ErrorCode::kCorrupt);
  std::string flipped = whole;
  for (size_t i = 3 * 4096; i < 5 * 4096; ++i) flipped[i] = static_cast<char>(flipped[i] ^ 0x55);
  std::ofstream(backup(), std::ios::binary) << flipped;
  EXPECT_EQ(TryRestore().error().code, ErrorCode::kCorrupt);
  std::ofstream(backup(), std::ios::binary) << whole;
  {
    auto database = Database::Open({.file = backup()});
    ASSERT_TRUE(database);
    ASSERT_TRUE((*database)->Execute("UPDATE audit SET actor_id = 'forged' WHERE number = 2"));
  }
  EXPECT_EQ(TryRestore().error().code, ErrorCode::kCorrupt) << "the audit chain";
  std::filesystem::remove(backup());
  EXPECT_FALSE(TryRestore());
  EXPECT_EQ(Snapshot(), before);
}

TEST_F(RestoreTest, L1_MarksThatAreOnlyLoggedAreInTheBackup) {
  const auto target = folder_of_backup_.path() / "with_marks.db";
  const WallTime used = driver_.clock().Now();
  {
    auto store = OpenStore();
    ASSERT_TRUE(driver_.Mark(*store, kept_.id));
    ASSERT_TRUE(driver_.Backup(*store, target));
  }
  const store::testing::TempFolder fresh;
  auto report = Restore({.backup = target, .folder = fresh.path(), .accept_resurrection = true},
                        driver_.clock(), driver_.random(), log_);
  ASSERT_TRUE(report) << report.error().detail;
  auto restored = TryOpen({.folder = fresh.path()});
  ASSERT_TRUE(restored);
  EXPECT_EQ((*driver_.Get(**restored, kept_))->last_used_at, used);
}

TEST_F(RestoreTest, C5_ABackupBesideWritesIsOneMoment) {
  auto store = OpenStore();
  std::atomic<bool> is_done = false;
  std::thread writer([&] {
    while (!is_done) EXPECT_TRUE(driver_.AddKey(*store, kept_.account));
  });
  for (int i = 0; i < 5; ++i) {
    const auto target = folder_of_backup_.path() / std::to_string(i);
    auto status = driver_.Backup(*store, target);
    ASSERT_TRUE(status) << status.error().detail;
    auto copy = Database::Open({.file = target, .access = Access::kReadImmutable});
    ASSERT_TRUE(copy);
    EXPECT_TRUE(QuickCheck(**copy));
    EXPECT_TRUE(Probe(**copy)) << "the log ends at its head";
    auto verdict = VerifyChain(**copy, std::nullopt);
    ASSERT_TRUE(verdict);
    EXPECT_TRUE(verdict->is_intact) << verdict->problem;
  }
  is_done = true;
  writer.join();
}

TEST_F(RestoreTest, C5_ABackupThatFailsLeavesNoFile) {
  store::testing::FaultVfs vfs;
  auto store = TryOpen({.folder = folder(), .vfs = vfs.name()});
  ASSERT_TRUE(store);
  const auto target = folder_of_backup_.path() / "full";
  vfs.FailAt(20, store::testing::FaultVfs::Fault::kDiskFull,
             store::testing::FaultVfs::Duration::kFromThenOn);
  auto status = driver_.Backup(**store, target);
  vfs.Heal();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kResourceExhausted) << status.error().detail;
  EXPECT_FALSE(std::filesystem::exists(target));
  EXPECT_TRUE(driver_.Backup(**store, target));
}

TEST_F(RestoreTest, S5_RefusesWhileAServerRuns) {
  auto store = OpenStore();
  auto refused = TryRestore();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLocked);
}

TEST_F(RestoreTest, C5_ReplacesADatabaseThatIsBeyondRepair) {
  std::ofstream(DatabaseFile(folder())) << "ruins";
  std::ofstream(WalOf(DatabaseFile(folder()))) << "more ruins";
  auto report = TryRestore();
  ASSERT_TRUE(report) << report.error().detail;
  auto store = OpenStore();
  ASSERT_TRUE(store);
  EXPECT_TRUE((*driver_.Get(*store, doomed_))->revoked_at);
}

TEST_F(RestoreTest, C5_TwiceInARow) {
  ASSERT_TRUE(TryRestore());
  {
    auto store = OpenStore();
    ASSERT_TRUE(driver_.Revoke(*store, kept_));
  }
  driver_.clock().Advance(Millis(1));
  auto again = TryRestore();
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(again->revoked_again.size(), 2u);
  auto store = OpenStore();
  EXPECT_TRUE((*driver_.Get(*store, kept_))->revoked_at);
  EXPECT_TRUE((*driver_.Get(*store, doomed_))->revoked_at);
}

}  // namespace
}  // namespace p402::store::sqlite
