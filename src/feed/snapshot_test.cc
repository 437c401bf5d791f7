#include "index/snapshot.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "feed/feed_test.h"
#include "feed/snapshot_writer.h"

namespace p402::feed {
namespace {

using key::Decision;
using store::testing::Call;
using store::testing::Fault;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A folder of its own that is gone at the end.
class Folder {
 public:
  Folder() {
    std::string pattern = ::testing::TempDir() + "p402-feed-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void WriteAll(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// A node that has run on the store, and the next one that starts on it.
class SnapshotStartTest : public FeedTest {
 protected:
  ~SnapshotStartTest() override { next_.Stop(); }

  // Enough keys for more than one block.
  void AddKeys() {
    for (int i = 0; i < 3000; ++i) keys_.push_back(AddKey());
    Start();
  }
  void WriteSnapshot(const Uuid& store, std::optional<index::LogPlace> through = {},
                     std::optional<index::LogPlace> from = {}) {
    const auto position = feed_.position();
    ASSERT_TRUE(position);
    const index::LogPlace place{.seq = position->seq, .tag = position->tag};
    auto file = index::SnapshotFileWriter::Create(file_);
    ASSERT_TRUE(file);
    ASSERT_TRUE(index::WriteKeys(index_, **file, [] { return false; }));
    ASSERT_TRUE((*file)->Finish(
        {.store = store, .from = from.value_or(place), .through = through.value_or(place)}));
    ASSERT_GT(std::filesystem::file_size(file_), 300'000u);
  }
  void WriteSnapshot() { WriteSnapshot(memory_->id()); }

  void BeginNext() {
    next_.Start(started_.Into(scheduler_), SnapshotSource{.file = file_, .executor = scheduler_});
  }
  void StartNext() {
    BeginNext();
    scheduler_.RunUntilIdle();
    ASSERT_TRUE(started_.is_ok());
    EXPECT_EQ(next_index_.Dump(), Stored());
    EXPECT_TRUE(next_.is_current());
    EXPECT_EQ(next_.progress().loaded, next_.progress().total);
  }
  Decision AskNext(const key::Record& record) {
    return next_index_.Recheck(record.digest, {}, clock_.Now()).decision;
  }
  // The lines that say why a snapshot was not used.
  std::vector<std::string> Rejections() {
    auto lines = log_.Lines();
    std::erase_if(lines,
                  [](auto& line) { return line.find("snapshot.rejected") == std::string::npos; });
    return lines;
  }
  void ExpectRejected(const char* why) {
    StartNext();
    EXPECT_THAT(Rejections(), ElementsAre(HasSubstr(why)));
    EXPECT_GT(store_.calls(Call::kScan), scans_);
    EXPECT_EQ(next_.started_from_snapshot(), 0);
  }

  Folder folder_;
  const std::filesystem::path file_ = folder_.path() / index::kSnapshotName;
  std::vector<key::Record> keys_;
  int scans_ = 4;  // of the first node
  std::unique_ptr<Metrics> next_metrics_ = Metrics::Create();
  index::Index next_index_{"p402"};
  Feed next_{store_, next_index_, scheduler_, clock_, log_, *next_metrics_};
  Outcome<Status> started_;
};

TEST_F(SnapshotStartTest, ReadsTheSnapshotAndThenTheLog) {
  AddKeys();
  WriteSnapshot();
  const int64_t seq = feed_.position()->seq;
  const auto late = AddKey();
  ASSERT_TRUE(driver_.Revoke(*memory_, keys_[0]));
  StartNext();
  EXPECT_EQ(store_.calls(Call::kScan), scans_) << "no key is read from the store";
  EXPECT_EQ(next_.started_from_snapshot(), seq);
  EXPECT_EQ(AskNext(late), Decision::kValid);
  EXPECT_EQ(AskNext(keys_[0]), Decision::kRevoked);
  EXPECT_EQ(AskNext(keys_[1]), Decision::kValid);
  EXPECT_THAT(Rejections(), IsEmpty());
  // And goes on like any other.
  const auto revoked = *driver_.Revoke(*memory_, keys_[1]);
  Reached reached;
  next_.Barrier(revoked.version, reached.Into(scheduler_));
  scheduler_.RunUntilIdle();
  EXPECT_TRUE(reached.is_ok());
  EXPECT_EQ(AskNext(keys_[1]), Decision::kRevoked);
}

TEST_F(SnapshotStartTest, AMissingOneIsNoMessage) {
  AddKeys();
  StartNext();
  EXPECT_THAT(Rejections(), IsEmpty());
  EXPECT_EQ(next_.started_from_snapshot(), 0);
}

TEST_F(SnapshotStartTest, V4_NotCurrentBeforeTheLogIsReplayed) {
  AddKeys();
  WriteSnapshot();
  feed_.Stop();
  ASSERT_TRUE(driver_.Revoke(*memory_, keys_[0]));
  store_.Inject(Call::kReadLog, Fault::kDelay, 3);  // after the two places were looked up
  BeginNext();
  scheduler_.RunUntilIdle();
  EXPECT_EQ(next_index_.size(), keys_.size());
  EXPECT_FALSE(next_.is_current());
  EXPECT_FALSE(next_.progress().is_ready);
  EXPECT_EQ(next_.position(), std::nullopt);
  store_.Release();
  scheduler_.RunUntilIdle();
  EXPECT_TRUE(next_.is_current());
  EXPECT_EQ(AskNext(keys_[0]), Decision::kRevoked);
}

TEST_F(SnapshotStartTest, AnotherStoresIsNotUsed) {
  AddKeys();
  WriteSnapshot(Uuid{1, 2, 3});
  ExpectRejected("another store's");
}

TEST_F(SnapshotStartTest, R1_OneOfAnotherHistoryIsNotUsed) {
  AddKeys();
  WriteSnapshot();
  const int64_t seq = feed_.position()->seq;
  AddKey();  // the head, from which a node goes on that loads from the store
  forged_.forge = [seq](auto& log) {
    for (auto& change : log) {
      if (change.seq == seq) change.tag ^= 1;
    }
  };
  ExpectRejected("the log does not have");
}

// A backup from between the two places was restored: what the first node knew after it is lost,
// and must not be known again.
TEST_F(SnapshotStartTest, R1_OneThatKnowsMoreThanTheLogIsNotUsed) {
  AddKeys();
  const int64_t seq = feed_.position()->seq;
  WriteSnapshot(memory_->id(), index::LogPlace{.seq = seq + 1, .tag = 77});
  ExpectRejected("the log does not have");
}

TEST_F(SnapshotStartTest, R1_ItsEndInAnotherHistoryIsSeenAlthoughItsStartIsThere) {
  AddKeys();
  const int64_t seq = feed_.position()->seq;
  WriteSnapshot(memory_->id(), index::LogPlace{.seq = seq + 1, .tag = 77});
  AddKey();  // has seq + 1, and another tag
  ExpectRejected("the log does not have");
}

TEST_F(SnapshotStartTest, R1_ItsStartInAnotherHistoryIsSeenAlthoughItsEndIsThere) {
  AddKeys();
  const auto position = *feed_.position();
  const index::LogPlace through{.seq = position.seq, .tag = position.tag};
  WriteSnapshot(memory_->id(), through, index::LogPlace{.seq = position.seq - 1, .tag = 77});
  ExpectRejected("the log does not have");
}

TEST_F(SnapshotStartTest, R1_OneThatTheLogWasTrimmedBeyondIsNotUsed) {
  AddKeys();
  WriteSnapshot();
  const int64_t seq = feed_.position()->seq;
  AddKey();
  forged_.forge = [seq](auto& log) {
    std::erase_if(log, [seq](auto& change) { return change.seq <= seq; });
  };
  ExpectRejected("the log does not have");
}

TEST_F(SnapshotStartTest, AnotherFormatIsNotUsed) {
  AddKeys();
  WriteSnapshot();
  std::string bytes = ReadAll(file_);
  bytes[8] = static_cast<char>(bytes[8] + 1);
  WriteAll(file_, bytes);
  ExpectRejected("has format");
}

// Where the damage is: in the header, in the first block, and in the last, when most of the index
// is loaded already.
class DamageTest : public SnapshotStartTest, public ::testing::WithParamInterface<double> {};

TEST_P(DamageTest, R1_ADamagedOneIsNotUsedAtAll) {
  // What the file has in its first block and the store has not would show that it was half used.
  const key::Record only_here = driver_.NewKey(account_);
  index_.Put(only_here);
  AddKeys();
  WriteSnapshot();
  std::string bytes = ReadAll(file_);
  const auto at = static_cast<size_t>(GetParam() * static_cast<double>(bytes.size() - 1));
  bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
  WriteAll(file_, bytes);
  ExpectRejected("damaged");
  EXPECT_EQ(AskNext(only_here), Decision::kNotFound);
}

TEST_P(DamageTest, R1_OneThatWasCutIsNotUsedAtAll) {
  AddKeys();
  WriteSnapshot();
  std::string bytes = ReadAll(file_);
  bytes.resize(static_cast<size_t>(GetParam() * static_cast<double>(bytes.size() - 1)));
  WriteAll(file_, bytes);
  ExpectRejected("snapshot");
}

INSTANTIATE_TEST_SUITE_P(Places, DamageTest, ::testing::Values(0.0001, 0.1, 0.5, 1.0));

// Whole, but no index can have written it; the third block is read when the second is refused.
TEST_F(SnapshotStartTest, R1_OneThatHasAKeyTwiceIsNotUsedAtAll) {
  AddKeys();
  auto file = index::SnapshotFileWriter::Create(file_);
  ASSERT_TRUE(file);
  index::SnapshotEncoder encoder;
  for (int i = 0; i < 3; ++i) {
    index_.Walk(1, 1000, [&](const index::View& key) { encoder.Add(key); });
    ASSERT_TRUE((*file)->Append(encoder.payload(), encoder.keys()));
    encoder.Next();
  }
  const auto position = *feed_.position();
  const index::LogPlace place{.seq = position.seq, .tag = position.tag};
  ASSERT_TRUE((*file)->Finish({.store = memory_->id(), .from = place, .through = place}));
  ExpectRejected("twice");
}

TEST_F(SnapshotStartTest, AStoreThatCannotBeReadIsAskedAgain) {
  AddKeys();
  WriteSnapshot();
  feed_.Stop();  // it reads the log as well
  store_.Inject(Call::kReadLog, Fault::kFail, 1, 2);
  store_.Inject(Call::kReadLog, Fault::kFail, 4, 2);
  BeginNext();
  scheduler_.Advance(Millis(1000));
  ASSERT_TRUE(started_.is_ok());
  EXPECT_GT(next_.started_from_snapshot(), 0);
  EXPECT_EQ(next_index_.Dump(), Stored());
}

TEST_F(SnapshotStartTest, AStartThatWasGivenUpMayBeTriedAgain) {
  AddKeys();
  WriteSnapshot();
  feed_.Stop();  // it reads the log as well
  store_.Inject(Call::kReadLog, Fault::kFail, 1, 6);
  BeginNext();
  scheduler_.Advance(Millis(60'000));
  ASSERT_EQ(started_.code(), ErrorCode::kUnavailable);
  started_ = {};
  StartNext();
  EXPECT_GT(next_.started_from_snapshot(), 0);
}

TEST_F(SnapshotStartTest, StopEndsIt) {
  AddKeys();
  WriteSnapshot();
  BeginNext();
  next_.Stop();
  scheduler_.RunUntilIdle();
  EXPECT_EQ(started_.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(next_index_.size(), 0u);
}

class SnapshotWriterTest : public SnapshotStartTest {
 protected:
  static constexpr Millis kInterval{1000};

  // 3,000 keys are loaded, and one in a hundred is a reason.
  SnapshotOptions Options() {
    return {.file = file_, .store = memory_->id(), .min_changes = 10, .interval = kInterval};
  }
  bool IsThere() { return std::filesystem::exists(file_); }
  index::SnapshotLabel Label() {
    const auto reader = index::SnapshotReader::Open(file_);
    return reader ? (*reader)->label() : index::SnapshotLabel();
  }
  std::vector<std::string> Lines(const std::string& event) {
    auto lines = log_.Lines();
    std::erase_if(lines, [&](auto& line) { return line.find(event) == std::string::npos; });
    return lines;
  }
};

TEST_F(SnapshotWriterTest, WritesWhatTheNextStartReads) {
  AddKeys();
  SnapshotWriter writer(Options(), feed_, index_, scheduler_, clock_, log_);
  writer.Start();
  scheduler_.RunUntilIdle();
  EXPECT_FALSE(IsThere());
  scheduler_.Advance(kInterval);
  ASSERT_TRUE(IsThere());
  const auto position = *feed_.position();
  const index::LogPlace place{.seq = position.seq, .tag = position.tag};
  EXPECT_EQ(Label(), (index::SnapshotLabel{
                         .store = memory_->id(), .from = place, .through = place, .keys = 3000}));
  StartNext();
  EXPECT_EQ(next_.started_from_snapshot(), position.seq);
}

TEST_F(SnapshotWriterTest, WritesAgainAfterEnoughChanges) {
  AddKeys();
  SnapshotWriter writer(Options(), feed_, index_, scheduler_, clock_, log_);
  writer.Start();
  scheduler_.Advance(kInterval);
  const auto first = Label();
  // 10, and one for each hundred of 3,000: 40.
  for (int i = 0; i < 39; ++i) keys_[0] = *driver_.Revoke(*memory_, keys_[0]);
  scheduler_.Advance(2 * kInterval);
  EXPECT_EQ(Label(), first);
  keys_[0] = *driver_.Revoke(*memory_, keys_[0]);
  scheduler_.Advance(2 * kInterval);
  EXPECT_EQ(Label().from.seq, first.from.seq + 40);
  EXPECT_EQ(Lines("snapshot.written").size(), 2u);
}

TEST_F(SnapshotWriterTest, AfterAStartFromASnapshotOnlyWhatIsNewerCounts) {
  AddKeys();
  WriteSnapshot();
  const auto first = Label();
  StartNext();
  SnapshotWriter writer(Options(), next_, next_index_, scheduler_, clock_, log_);
  writer.Start();
  scheduler_.Advance(2 * kInterval);
  EXPECT_EQ(Label(), first);
  for (int i = 0; i < 40; ++i) keys_[0] = *driver_.Revoke(*memory_, keys_[0]);
  scheduler_.Advance(2 * kInterval);
  EXPECT_EQ(Label().from.seq, first.from.seq + 40);
}

TEST_F(SnapshotWriterTest, FlushWritesIfThereIsReasonTo) {
  AddKeys();
  SnapshotWriter writer(Options(), feed_, index_, scheduler_, clock_, log_);
  Outcome<Status> first;
  writer.Flush(first.Into(scheduler_));
  scheduler_.RunUntilIdle();
  ASSERT_TRUE(first.is_ok());
  ASSERT_TRUE(IsThere());
  std::filesystem::remove(file_);
  Outcome<Status> second;
  writer.Flush(second.Into(scheduler_));
  scheduler_.RunUntilIdle();
  ASSERT_TRUE(second.is_ok());
  EXPECT_FALSE(IsThere());
}

TEST_F(SnapshotWriterTest, R1_NothingIsWrittenWhileTheIndexIsNotWhole) {
  for (int i = 0; i < 100; ++i) AddKey();
  SnapshotWriter writer(Options(), feed_, index_, scheduler_, clock_, log_);
  writer.Start();
  scheduler_.Advance(2 * kInterval);
  EXPECT_FALSE(IsThere());
  Start();
  feed_.Stop();
  Outcome<Status> flushed;
  writer.Flush(flushed.Into(scheduler_));
  scheduler_.Advance(2 * kInterval);
  EXPECT_TRUE(flushed.is_ok());
  EXPECT_FALSE(IsThere());
}

TEST_F(SnapshotWriterTest, AFailureKeepsTheOldOneAndIsLoggedOnce) {
  AddKeys();
  WriteSnapshot();
  const std::string old = ReadAll(file_);
  std::filesystem::create_directory(file_.string() + ".writing");  // in the way
  SnapshotWriter writer(Options(), feed_, index_, scheduler_, clock_, log_);
  writer.Start();
  scheduler_.Advance(3 * kInterval);
  EXPECT_EQ(ReadAll(file_), old);
  EXPECT_EQ(Lines("snapshot.write_failed").size(), 1u);
  std::filesystem::remove(file_.string() + ".writing");
  scheduler_.Advance(kInterval);
  EXPECT_EQ(Lines("snapshot.written").size(), 1u);
}

// The label of a file holds for every key in it.
void CheckLabel(const std::filesystem::path& file, const std::vector<store::Change>& changes) {
  auto reader = index::SnapshotReader::Open(file);
  ASSERT_TRUE(reader);
  index::Index index("p402");
  for (auto block = (*reader)->Next(); block && *block; block = (*reader)->Next()) {
    ASSERT_TRUE(index.Load((*block)->keys));
  }
  const index::SnapshotLabel& label = (*reader)->label();
  ASSERT_EQ(index.size(), label.keys);
  for (const auto& record : index.Dump()) ASSERT_LE(record.version, label.through.seq);
  for (const auto& change : changes) {
    if (change.payload.empty() || change.seq > label.from.seq) continue;
    const auto record = index.Find(*key::KeyId::Parse(change.subject));
    ASSERT_TRUE(record);
    ASSERT_GE(record->version, change.seq);
  }
}

// Real threads: snapshots are written while keys are revoked and made. Each, with the log, is the
// store.
TEST(SnapshotThreads, R1_ASnapshotOfAChangingIndexAndTheLogAreTheStore) {
  store::testing::Driver driver;
  Folder folder;
  auto store = store::memory::Create(driver.clock(), driver.random());
  testing::MemoryLog log;
  auto metrics = Metrics::Create();
  index::Index index("p402");
  TaskThread thread("feed", driver.clock());
  TaskThread snapshot_thread("snapshot", driver.clock());
  Feed feed(*store, index, thread, driver.clock(), log, *metrics);
  const auto account = *driver.AddAccount(*store);
  const auto file = folder.path() / index::kSnapshotName;
  ASSERT_TRUE(Await<Status>(driver.executor(), [&](auto done) { feed.Start(std::move(done)); }));
  std::jthread committer([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto record = *driver.AddKey(*store, account);
      const auto revoked = *driver.Revoke(*store, record);
      ASSERT_TRUE(Await<Result<BarrierReport>>(
          driver.executor(), [&](auto done) { feed.Barrier(revoked.version, std::move(done)); }));
    }
  });
  SnapshotWriter writer(
      {.file = file, .store = store->id(), .min_changes = 1, .keys_per_change = 1'000'000}, feed,
      index, snapshot_thread, driver.clock(), log);
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(
        Await<Status>(driver.executor(), [&](auto done) { writer.Flush(std::move(done)); }));
    CheckLabel(file, *driver.ReadLog(*store));
    auto next_metrics = Metrics::Create();
    index::Index next_index("p402");
    Feed next(*store, next_index, thread, driver.clock(), log, *next_metrics);
    ASSERT_TRUE(Await<Status>(driver.executor(), [&](auto done) {
      next.Start(std::move(done), SnapshotSource{.file = file, .executor = snapshot_thread});
    }));
    EXPECT_GT(next.started_from_snapshot(), 0);
    const int64_t applied = next.position()->seq;
    next.Stop();
    // Every key that was revoked at or before that is revoked.
    const auto changes = *driver.ReadLog(*store);
    for (const auto& change : changes) {
      if (change.kind != store::ChangeKind::kRevoke || change.seq > applied) continue;
      const auto revoked = next_index.Find(*key::KeyId::Parse(change.subject));
      ASSERT_TRUE(revoked && revoked->revoked_at) << change.seq;
    }
  }
}

}  // namespace
}  // namespace p402::feed
