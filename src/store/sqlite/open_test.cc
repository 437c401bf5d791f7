#include <fstream>

#include "base/file.h"
#include "base/typeid.h"
#include "store/sqlite/journal.h"
#include "store/sqlite/store_test.h"

namespace p402::store::sqlite {
namespace {

class OpenTest : public SqliteTest {
 protected:
  // A store with one account and one revoked key, closed again.
  void Fill() {
    auto store = OpenStore();
    auto account = driver_.AddAccount(*store);
    ASSERT_TRUE(account);
    auto record = driver_.AddKey(*store, *account);
    ASSERT_TRUE(record);
    auto revoked = driver_.Revoke(*store, *record);
    ASSERT_TRUE(revoked);
    key_ = *revoked;
  }
  std::filesystem::path file() const { return DatabaseFile(folder()); }
  void Overwrite(std::streamoff offset, const std::string& bytes) {
    std::fstream stream(file(), std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(offset);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  key::Record key_;
};

TEST_F(OpenTest, C1_MakesAPrivateFolderWithPrivateFiles) {
  const Options options{.folder = folder() / "data"};
  auto store = TryOpen(options);
  ASSERT_TRUE(store) << store.error().detail;
  ASSERT_TRUE(driver_.AddAccount(**store));
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(options.folder).permissions(), perms::owner_all);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(options.folder)) {
    if (entry.path().filename() == "lock") continue;
    EXPECT_EQ(entry.status().permissions(), perms::owner_read | perms::owner_write) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 4) << "database, write-ahead log, shared memory, journal";
}

TEST_F(OpenTest, C1_NarrowsAFileThatOthersCouldRead) {
  Fill();
  std::filesystem::permissions(file(), std::filesystem::perms(0644));
  OpenStore();
  EXPECT_EQ(std::filesystem::status(file()).permissions(), std::filesystem::perms(0600));
}

TEST_F(OpenTest, C1_DoesNotCreateUnlessAsked) {
  const auto missing = folder() / "missing";
  EXPECT_EQ(OpenError({.folder = missing, .create = false}), ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(missing));
  Fill();
  EXPECT_TRUE(TryOpen({.folder = folder(), .create = false}));
}

TEST_F(OpenTest, S5_ASecondOpenerIsRefused) {
  auto store = OpenStore();
  EXPECT_EQ(OpenError(), ErrorCode::kLocked);
  store.reset();
  EXPECT_TRUE(TryOpen());
}

TEST_F(OpenTest, L2_ACleanStopLeavesOneFile) {
  Fill();
  EXPECT_FALSE(std::filesystem::exists(WalOf(file())));
  EXPECT_FALSE(std::filesystem::exists(ShmOf(file())));
  auto store = OpenStore();
  auto found = driver_.Get(*store, key_);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, key_);
}

TEST_F(OpenTest, B_RefusesANewerSchemaAndNamesBothVersions) {
  Fill();
  Sql("PRAGMA user_version=77");
  auto opened = TryOpen();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kConflict);
  EXPECT_NE(opened.error().detail.find("77"), std::string::npos) << opened.error().detail;
  EXPECT_NE(opened.error().detail.find(std::to_string(kSchemaVersion)), std::string::npos);
  EXPECT_EQ(SqlInt("PRAGMA user_version"), 77);
}

TEST_F(OpenTest, B_RefusesWhatIsNotOurDatabase) {
  std::ofstream(file()) << "hello, I am a text file, and long enough to be something else: "
                        << std::string(200, 'x');
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt);
  std::filesystem::remove(file());
  std::ofstream(file()) << "short";
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt);
  std::filesystem::remove(file());
  std::ofstream(file()).close();
  Sql("PRAGMA application_id=1234; CREATE TABLE other(x)");
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt);
  std::filesystem::remove(file());
  std::ofstream(file()).close();
  Sql("CREATE TABLE other(x)");
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt);
}

TEST_F(OpenTest, B_RefusesADamagedDatabase) {
  Fill();
  const auto whole = *ReadFile(file(), 1 << 24);
  auto restore = [&] { std::ofstream(file(), std::ios::binary) << whole; };

  Overwrite(0, "garbage");
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt) << "magic";
  restore();
  Overwrite(100, std::string(300, '\xff'));
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt) << "the schema page";
  restore();
  std::filesystem::resize_file(file(), whole.size() / 2);
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt) << "cut short";
  restore();
  Sql("DROP INDEX keys_digest");
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt) << "schema";
  restore();
  Sql("DELETE FROM log WHERE seq = 3");
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt) << "log without its end";
  restore();
  Sql("UPDATE head SET tag = tag + 1");
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt) << "another history's head";
  restore();
  Sql("DELETE FROM meta");
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt) << "no store id";
  restore();
  EXPECT_TRUE(TryOpen());
}

TEST_F(OpenTest, B_ADamagedRowIsAnErrorOfTheReadingOnly) {
  Fill();
  Sql("PRAGMA ignore_check_constraints=ON; UPDATE keys SET mode = 9");
  auto store = OpenStore();
  ASSERT_TRUE(store);
  auto found = driver_.Get(*store, key_);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(driver_.AddAccount(*store, /*is_first=*/false));
}

TEST_F(OpenTest, C5_ALostDatabaseIsNotReplacedByAnEmptyOne) {
  Fill();
  std::filesystem::remove(file());
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt);
  EXPECT_FALSE(std::filesystem::exists(file()));
  std::ofstream(file()).close();
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt) << "an emptied one neither";
}

TEST_F(OpenTest, C5_OpenAddsToTheJournalWhatACrashKeptOut) {
  Fill();
  const auto journal = folder() / kJournalName;
  const auto whole = *ReadFile(journal, 1 << 20);
  std::filesystem::resize_file(journal, whole.size() - 10);
  OpenStore();
  EXPECT_EQ(*ReadFile(journal, 1 << 20), whole);
  EXPECT_TRUE(HasLogged("store.journal_completed"));
  std::filesystem::remove(journal);
  OpenStore();
  EXPECT_EQ(*ReadFile(journal, 1 << 20), whole);
}

TEST_F(OpenTest, C5_AnOlderCopyOfTheDatabaseRevivesNoKey) {
  key::Record record;
  {
    auto store = OpenStore();
    auto account = driver_.AddAccount(*store);
    ASSERT_TRUE(account);
    auto added = driver_.AddKey(*store, *account);
    ASSERT_TRUE(added);
    record = *added;
  }
  const auto old = *ReadFile(file(), 1 << 24);
  {
    auto store = OpenStore();
    ASSERT_TRUE(driver_.Revoke(*store, record));
  }
  std::ofstream(file(), std::ios::binary) << old;  // somebody copies it back by hand
  auto store = OpenStore();
  ASSERT_TRUE(store);
  EXPECT_TRUE(HasLogged("store.revoked_again"));
  auto found = driver_.Get(*store, record);
  ASSERT_TRUE(found && *found);
  EXPECT_TRUE((*found)->revoked_at);
  EXPECT_TRUE(driver_.Verify(*store)->is_intact);
}

TEST_F(OpenTest, C5_OpenAddsARestrictionThatACrashKeptOut) {
  {
    auto store = OpenStore();
    auto account = driver_.AddAccount(*store);
    ASSERT_TRUE(account);
    auto record = driver_.AddKey(*store, *account);
    ASSERT_TRUE(record);
    auto commit = [&](ChangeKind kind, bool is_disabled) {
      record->is_disabled = is_disabled;
      ASSERT_TRUE(driver_.Commit(*store, store::testing::Driver::ChangeOf(*record, kind)));
    };
    commit(ChangeKind::kRestrict, true);
    commit(ChangeKind::kPermit, false);
    commit(ChangeKind::kRestrict, true);
    commit(ChangeKind::kPermit, false);
  }
  const auto journal = folder() / kJournalName;
  const auto whole = *ReadFile(journal, 1 << 20);
  auto lines = ParseJournal(whole).lines.restrictions;
  ASSERT_EQ(lines.size(), 2u);
  const std::string last = FormatRestriction(lines[1]);
  ASSERT_TRUE(whole.ends_with(last));
  for (const size_t lost : {size_t{1}, size_t{10}, last.size()}) {
    std::filesystem::resize_file(journal, whole.size() - lost);
    OpenStore();
    EXPECT_EQ(*ReadFile(journal, 1 << 20), whole) << lost;
  }
  EXPECT_TRUE(HasLogged("store.journal_completed"));
  EXPECT_FALSE(HasLogged("store.revoked_again")) << "it is enabled, and stays so";
  std::filesystem::remove(journal);
  OpenStore();
  EXPECT_EQ(ParseJournal(*ReadFile(journal, 1 << 20)).lines.restrictions, std::vector{lines[1]})
      << "the last one says all";
}

TEST_F(OpenTest, C5_AnOlderCopyOfTheDatabaseWidensNoKey) {
  key::Record record;
  {
    auto store = OpenStore();
    auto account = driver_.AddAccount(*store);
    ASSERT_TRUE(account);
    record = *driver_.AddKey(*store, *account);
  }
  const auto old = *ReadFile(file(), 1 << 24);
  {
    auto store = OpenStore();
    record.is_disabled = true;
    ASSERT_TRUE(
        driver_.Commit(*store, store::testing::Driver::ChangeOf(record, ChangeKind::kRestrict)));
  }
  std::ofstream(file(), std::ios::binary) << old;
  {
    auto store = OpenStore();
    ASSERT_TRUE(store);
    EXPECT_TRUE(HasLogged("store.revoked_again"));
    EXPECT_TRUE((**driver_.Get(*store, record)).is_disabled);
    record.is_disabled = false;
    ASSERT_TRUE(
        driver_.Commit(*store, store::testing::Driver::ChangeOf(record, ChangeKind::kPermit)));
  }
  EXPECT_FALSE((**driver_.Get(*OpenStore(), record)).is_disabled) << "not again at every start";
}

TEST_F(OpenTest, C5_ALostDatabaseWithARestrictionIsNotReplacedByAnEmptyOne) {
  {
    auto store = OpenStore();
    auto record = *driver_.AddKey(*store, *driver_.AddAccount(*store));
    record.is_disabled = true;
    ASSERT_TRUE(
        driver_.Commit(*store, store::testing::Driver::ChangeOf(record, ChangeKind::kRestrict)));
  }
  std::filesystem::remove(file());
  EXPECT_EQ(OpenError(), ErrorCode::kCorrupt);
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(OpenTest, C5_WhatAKilledBackupLeftIsRemoved) {
  Fill();
  const std::string name = EncodeTypeId(kBackupPrefix, Uuid{1, 2, 3});
  const std::vector<std::string> left = {name, name + "-journal", name + "-wal"};
  const std::vector<std::string> other = {"backup_",      "backup.db",      name + "x",
                                          name + ".db",   "my_" + name,     name + "-journal-wal",
                                          "backup_store", "p402-backup.db", "key" + name.substr(6)};
  for (const auto& file : left) std::ofstream(folder() / file) << "pages";
  for (const auto& file : other) std::ofstream(folder() / file) << "somebody's";
  const auto folder_of_that_name = folder() / EncodeTypeId(kBackupPrefix, Uuid{4});
  const auto link_of_that_name = folder() / EncodeTypeId(kBackupPrefix, Uuid{5});
  std::filesystem::create_directory(folder_of_that_name);
  std::filesystem::create_symlink(folder() / "backup.db", link_of_that_name);
  {
    auto store = OpenStore();
    EXPECT_EQ(OpenError(), ErrorCode::kLocked);
    std::ofstream(folder() / name) << "of the server that runs";
    EXPECT_EQ(OpenError(), ErrorCode::kLocked);
    EXPECT_TRUE(std::filesystem::exists(folder() / name)) << "only who holds the lock may";
  }
  EXPECT_TRUE(HasLogged("store.left_backups_removed"));
  OpenStore();
  for (const auto& file : left) EXPECT_FALSE(std::filesystem::exists(folder() / file)) << file;
  for (const auto& file : other) EXPECT_TRUE(std::filesystem::exists(folder() / file)) << file;
  EXPECT_TRUE(std::filesystem::exists(folder_of_that_name));
  EXPECT_TRUE(std::filesystem::is_symlink(link_of_that_name));
}

TEST_F(OpenTest, S5_AFolderThatOthersCanWriteToIsRefused) {
  Fill();
  std::filesystem::permissions(folder(), std::filesystem::perms(0770));
  EXPECT_EQ(OpenError(), ErrorCode::kPermissionDenied);
  std::filesystem::permissions(folder(), std::filesystem::perms(0700));
  EXPECT_TRUE(TryOpen());
}

// The schema as version 1 had it, with a row in every table that version 2 touches.
class MigrationTest : public SqliteTest {
 protected:
  void MakeVersion1() {
    auto database = Database::Open({.file = Prepared()});
    ASSERT_TRUE(database) << database.error().detail;
    ASSERT_TRUE(MigrateTo(**database, driver_.random(), 1));
    ASSERT_TRUE((*database)->Execute(R"sql(
INSERT INTO accounts VALUES(x'00000000000000000000000000000001', 'acme', 1, 1000);
INSERT INTO keys VALUES(x'00000000000000000000000000000002', x'00000000000000000000000000000001',
  zeroblob(32), 'p402_live_abcdef', 'used', 1, '*', '', '', '', 1000, 3, 'init', NULL, 0, NULL, '',
  NULL, 1, 5000);
INSERT INTO keys VALUES(x'00000000000000000000000000000003', x'00000000000000000000000000000001',
  randomblob(32), 'p402_live_abcdef', 'unused', 1, '*', '', '', '', 1000, 3, 'init', NULL, 0, NULL,
  '', NULL, 1, NULL);
INSERT INTO audit VALUES(1, 1000, x'00000000000000000000000000000001', 3, 'init', 'account.create',
  '', '{}', '', '', zeroblob(32), zeroblob(32));
)sql"));
    // A real hash, so that the chain goes on from it.
    AuditRecord record{.number = 1, .at = WallTime(Millis(1000)), .account = {}};
    record.account.uuid[15] = 1;
    record.actor = {.kind = key::ActorKind::kSystem, .id = "init"};
    record.action = "account.create";
    record.details = "{}";
    auto query = (*database)->Prepare("UPDATE audit SET hash = ?1");
    ASSERT_TRUE(query);
    ASSERT_TRUE(query->Bind(AuditHash(record)).Run());
  }
  std::filesystem::path Prepared() {
    const auto file = DatabaseFile(folder());
    std::ofstream(file).close();
    return file;
  }
};

TEST_F(MigrationTest, L1_Version1BecomesTheLatest) {
  MakeVersion1();
  ASSERT_EQ(SqlInt("PRAGMA user_version"), 1);
  auto store = OpenStore();
  ASSERT_TRUE(store);
  key::Record used{.id = {}, .account = {}};
  used.account.uuid[15] = 1;
  used.id.uuid[15] = 2;
  key::Record unused = used;
  unused.id.uuid[15] = 3;
  auto first = driver_.Get(*store, used);
  auto second = driver_.Get(*store, unused);
  ASSERT_TRUE(first && *first && second && *second);
  EXPECT_EQ((*first)->last_used_at, WallTime(Millis(5000)));
  EXPECT_EQ((*first)->name, "used");
  EXPECT_EQ((*second)->last_used_at, std::nullopt);
  ASSERT_TRUE(driver_.AddKey(*store, used.account));
  const auto verdict = driver_.Verify(*store);
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->is_intact) << verdict->problem;
  EXPECT_EQ(verdict->checked, 2);
  store.reset();
  EXPECT_EQ(SqlInt("PRAGMA user_version"), kSchemaVersion);
  EXPECT_EQ(SqlInt("PRAGMA application_id"), kApplicationId);
}

TEST_F(MigrationTest, A5_Version2GetsTheIndexOfRotations) {
  MakeVersion1();
  {
    auto database = Database::Open({.file = DatabaseFile(folder())});
    ASSERT_TRUE(database);
    ASSERT_TRUE(MigrateTo(**database, driver_.random(), 2));
  }
  EXPECT_EQ(SqlInt("SELECT count(*) FROM sqlite_schema WHERE name = 'keys_rotated_from'"), 0);
  EXPECT_TRUE(TryOpen());
  EXPECT_EQ(SqlInt("PRAGMA user_version"), kSchemaVersion);
  EXPECT_EQ(SqlInt("SELECT count(*) FROM sqlite_schema WHERE name = 'keys_rotated_from'"), 1);
}

TEST_F(MigrationTest, L1_Version4GetsTheLogOfMarks) {
  MakeVersion1();
  {
    auto database = Database::Open({.file = DatabaseFile(folder())});
    ASSERT_TRUE(database);
    ASSERT_TRUE(MigrateTo(**database, driver_.random(), 4));
  }
  key::Record used{.id = {}, .account = {}};
  used.account.uuid[15] = 1;
  used.id.uuid[15] = 2;
  driver_.clock().Advance(Millis(1));
  {
    auto store = OpenStore();
    ASSERT_TRUE(store);
    EXPECT_EQ((*driver_.Get(*store, used))->last_used_at, WallTime(Millis(5000)));
    ASSERT_TRUE(driver_.Mark(*store, used.id));
  }
  EXPECT_EQ(SqlInt("PRAGMA user_version"), kSchemaVersion);
  EXPECT_EQ(SqlInt("SELECT count(*) FROM usage_log"), 1);
  auto store = OpenStore();
  ASSERT_TRUE(store);
  EXPECT_EQ((*driver_.Get(*store, used))->last_used_at, driver_.clock().Now());
}

TEST_F(MigrationTest, L1_AFailedStepLeavesTheOlderVersionWhole) {
  MakeVersion1();
  Sql("CREATE TABLE usage(in_the_way)");
  EXPECT_FALSE(TryOpen());
  EXPECT_EQ(SqlInt("PRAGMA user_version"), 1);
  EXPECT_EQ(SqlInt("SELECT count(*) FROM keys WHERE last_used_at = 5000"), 1);
  Sql("DROP TABLE usage");
  EXPECT_TRUE(TryOpen());
}

}  // namespace
}  // namespace p402::store::sqlite
