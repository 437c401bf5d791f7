#include <map>
#include <random>

#include "index/index_test.h"

namespace p402::index {
namespace {

// The index beside a map, through random changes, uses, takes and resyncs.
class ModelTest : public IndexTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  static constexpr size_t kKeys = 40;

  void Draw(Known& known) {
    key::Record& record = known.record;
    record.version = static_cast<int64_t>(dice_() % 60);
    record.name = std::string(dice_() % 300, 'n') + std::to_string(dice_());
    record.metadata = dice_() % 4 == 0 ? std::string(dice_() % 4096, 'm') : "";
    record.scopes = *key::ScopeSet::ParseText(kScopes[dice_() % std::size(kScopes)]);
    record.allowed_cidrs = dice_() % 4 == 0 ? office_ : key::CidrSet();
    record.mode = dice_() % 3 == 0 ? key::Mode::kTest : key::Mode::kLive;
    record.is_disabled = dice_() % 6 == 0;
    record.expires_at.reset();
    if (dice_() % 3 == 0) record.expires_at = At(static_cast<int64_t>(dice_() % 4000));
    record.revoked_at.reset();
    if (dice_() % 40 == 0) record.revoked_at = At(1);
    if (dice_() % 50 == 0) record.digest[9] ^= 1;
    if (dice_() % 50 == 0) record.account = key::AccountId::New(ids_);
  }

  void Put(const key::Record& record) {
    index_.Put(record);
    const auto [known, is_new] = model_.try_emplace(record.id, record);
    key::Record& fold = known->second;
    if (is_new) return;
    const key::Record before = fold;
    if (record.version > fold.version) fold = record;
    const key::Record& revoked = before.revoked_at ? before : record;
    if (!fold.revoked_at && revoked.revoked_at) {
      fold.revoked_at = revoked.revoked_at;
      fold.revoke_reason = revoked.revoke_reason;
    }
  }

  key::Question DrawQuestion() {
    key::Question question;
    if (dice_() % 3 == 0) question.account = account_;
    if (dice_() % 3 == 0) question.mode = key::Mode::kLive;
    if (dice_() % 3 == 0) question.scopes = wanted_;
    if (dice_() % 2 == 0) question.ip = key::IpAddress::Parse("10.1.2.3");
    return question;
  }

  void Use(const key::Record& record) {
    const auto question = DrawQuestion();
    const WallTime now = At(++second_);
    const auto answer = index_.Recheck(record.digest, question, now);
    const auto& fold = model_.at(record.id);
    ASSERT_EQ(answer.decision, key::Decide(fold, question, now)) << "seed " << GetParam();
    ASSERT_EQ(answer.decision == Decision::kNotFound, !answer.key);
    if (!answer.key) return;
    key::Record found = answer.key.Materialize();
    ASSERT_EQ(found, fold);
    ASSERT_EQ(answer.key.account(), fold.account);
    ASSERT_EQ(answer.key.expires_at(), fold.expires_at);
    ASSERT_EQ(answer.key.scopes(), fold.scopes.ToString());
    ASSERT_EQ(answer.key.name(), fold.name);
    ASSERT_EQ(answer.key.metadata(), fold.metadata);
  }

  static constexpr const char* kScopes[] = {"", "a", "a b", "*", "b c:d", "* a", "aa b.c"};
  std::mt19937 dice_{GetParam()};
  const key::CidrSet office_ =
      *key::CidrSet::Parse(std::vector<std::string>{"10.0.0.0/8", "2001:db8::/32"});
  const std::vector<std::string> wanted_ = {"a", "b"};
  std::map<key::KeyId, key::Record> model_;
  int64_t second_ = 0;
};

TEST_P(ModelTest, TheIndexIsTheFoldAndDecidesAsARecordDoes) {
  std::vector<Known> keys;
  for (size_t i = 0; i < kKeys; ++i) keys.push_back(Make());
  for (int step = 0; step < 3000; ++step) {
    Known& known = keys[dice_() % kKeys];
    if (dice_() % 2 == 0) {
      Draw(known);
      Put(known.record);
    } else if (model_.contains(known.record.id)) {
      Use(model_.at(known.record.id));
    }
    if (dice_() % 800 == 0) {
      index_.Clear();
      model_.clear();
    }
    ASSERT_EQ(index_.size(), model_.size());
    if (HasFatalFailure()) return;
  }
  std::vector<key::Record> expected;
  for (const auto& [id, record] : model_) expected.push_back(record);
  EXPECT_EQ(index_.Dump(), expected) << "seed " << GetParam();
}

// Marks alone: every use is written once it was taken, and LastUsed knows it at any time.
TEST_P(ModelTest, L1_UsesAreTakenOnceAndSurviveEverything) {
  std::vector<Known> keys;
  for (size_t i = 0; i < kKeys; ++i) keys.push_back(IndexTest::Put());
  std::map<key::KeyId, WallTime> used;
  std::map<key::KeyId, WallTime> written;
  int64_t version = 1;
  for (int step = 0; step < 3000; ++step) {
    Known& known = keys[dice_() % kKeys];
    const key::KeyId id = known.record.id;
    second_ += dice_() % 10 == 0 ? 1 : 0;
    const WallTime now = At(second_ - static_cast<int64_t>(dice_() % 20 == 0 ? dice_() % 5 : 0));
    if (Ask(known, now) == Decision::kValid) used[id] = std::max(used[id], now);
    if (dice_() % 30 == 0) {  // another digest: the key moves
      Known other = Make(++version);
      other.record.id = id;
      index_.Put(other.record);
      known = other;
    }
    if (dice_() % 500 == 0) {
      index_.Clear();
      for (const auto& one : keys) index_.Put(one.record);
    }
    if (dice_() % 20 == 0) {
      auto marks = index_.TakeMarks(1 + dice_() % 50);
      if (dice_() % 3 == 0) {
        index_.ReturnMarks(marks);
      } else {
        for (const auto& mark : marks) written[mark.key] = std::max(written[mark.key], mark.at);
      }
    }
    ASSERT_LE(index_.waiting_marks(), kKeys);
    for (const auto& [key, at] : used) {
      ASSERT_EQ(std::max(index_.LastUsed(key).value_or(WallTime()), written[key]), at);
    }
  }
  for (const auto& mark : index_.TakeMarks(SIZE_MAX)) {
    written[mark.key] = std::max(written[mark.key], mark.at);
  }
  EXPECT_EQ(written, used) << "seed " << GetParam();
  EXPECT_EQ(index_.waiting_marks(), 0u);
  EXPECT_FALSE(index_.OldestWaitingMark());
}

INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, ::testing::Range(1u, 13u));

}  // namespace
}  // namespace p402::index
