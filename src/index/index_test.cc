#include "index/index_test.h"

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <thread>

namespace p402::index {
namespace {

TEST_F(IndexTest, K3_AWrongChecksumIsMalformedBeforeTheTableIsAsked) {
  Known known = Make();
  known.raw_key.back() = known.raw_key.back() == 'a' ? 'b' : 'a';
  known.record.digest = key::DigestOf(known.raw_key);
  index_.Put(known.record);
  const Answer answer = index_.Verify(known.raw_key, {}, kNow);
  EXPECT_EQ(answer.decision, Decision::kMalformed);
  EXPECT_FALSE(answer.key);
  EXPECT_EQ(Index("acme").Verify(Make().raw_key, {}, kNow).decision, Decision::kMalformed);
}

TEST_F(IndexTest, R5_AnUnknownKeyIsAnsweredFromMemory) {
  Put();
  const Answer answer = index_.Verify(Make().raw_key, {}, kNow);
  EXPECT_EQ(answer.decision, Decision::kNotFound);
  EXPECT_FALSE(answer.key);
}

TEST_F(IndexTest, V2_AKeyOfAnotherAccountIsNotFoundAndNotShown) {
  const Known known = Put();
  const key::Question question{.account = key::AccountId::New(ids_)};
  const Answer answer = index_.Verify(known.raw_key, question, kNow);
  EXPECT_EQ(answer.decision, Decision::kNotFound);
  EXPECT_FALSE(answer.key);
}

// The cell knows the whole second of an expiry, and only the facts know the rest.
TEST_F(IndexTest, V1_AnExpiryIsExactToTheMillisecondHoweverItIsChanged) {
  Known known = Make(0);
  const auto change = [&](std::optional<WallTime> expires_at) {
    known.record.expires_at = expires_at;
    ++known.record.version;
    index_.Put(known.record);
  };
  constexpr Millis kStep{1};
  const WallTime farthest = WallTime(std::chrono::seconds(UINT32_MAX)) + Millis(1500);
  for (const WallTime at : {At(10), At(10) + Millis(499), At(9) + Millis(999), At(5'000),
                            WallTime(Millis(1)), WallTime(Millis(-1)), farthest, At(3)}) {
    change(at);
    EXPECT_EQ(Ask(known, at - kStep), Decision::kValid) << at.time_since_epoch().count();
    EXPECT_EQ(Ask(known, at), Decision::kExpired) << at.time_since_epoch().count();
    change(std::nullopt);
    EXPECT_EQ(Ask(known, farthest + kStep), Decision::kValid);
  }
}

TEST_F(IndexTest, R1_WhatPutWroteIsSeenByTheNextVerify) {
  Known known = Put();
  const Answer before = index_.Verify(known.raw_key, {}, kNow);
  EXPECT_EQ(before.decision, Decision::kValid);
  known.record.version = 2;
  known.record.revoked_at = kNow;
  index_.Put(known.record);
  const Answer after = index_.Verify(known.raw_key, {}, kNow);
  EXPECT_EQ(after.decision, Decision::kRevoked);
  EXPECT_EQ(after.key.Materialize(), known.record);
  EXPECT_FALSE(before.key.is_revoked()) << "an answer is a snapshot";
  EXPECT_FALSE(before.key.Materialize().revoked_at);
  EXPECT_EQ(*index_.Find(known.record.id), known.record);
  EXPECT_EQ(index_.size(), 1u);
}

TEST_F(IndexTest, R1_AnOlderOrEqualVersionChangesNothing) {
  Known known = Put(5);
  for (const int64_t version : {4, 5}) {
    key::Record other = known.record;
    other.version = version;
    other.name = "other";
    index_.Put(other);
    EXPECT_EQ(index_.Find(known.record.id)->name, "k") << version;
  }
}

TEST_F(IndexTest, R1_RevokedIsFinalWhateverIsPut) {
  Known known = Put(5);
  key::Record revoked = known.record;
  revoked.revoked_at = At(7);
  revoked.revoke_reason = "lost";
  revoked.version = 6;
  index_.Put(revoked);
  key::Record risen = known.record;
  risen.version = 7;
  risen.name = "risen";
  index_.Put(risen);
  EXPECT_EQ(Ask(known), Decision::kRevoked);
  EXPECT_EQ(index_.Find(known.record.id)->revoked_at, At(7));
  EXPECT_EQ(index_.Find(known.record.id)->revoke_reason, "lost");
  EXPECT_EQ(index_.Find(known.record.id)->name, "risen");
}

TEST_F(IndexTest, R1_ALateRevocationOfAnOlderVersionCounts) {
  Known known = Put(5);
  key::Record revoked = known.record;
  revoked.revoked_at = At(7);
  revoked.version = 4;
  index_.Put(revoked);
  EXPECT_EQ(Ask(known), Decision::kRevoked);
  EXPECT_EQ(index_.Find(known.record.id)->version, 5);
}

TEST_F(IndexTest, R1_ANewDigestEndsTheOldOne) {
  const Known first = Put(1);
  Known second = Make(2);
  second.record.id = first.record.id;
  index_.Put(second.record);
  EXPECT_EQ(Ask(first), Decision::kNotFound);
  EXPECT_EQ(Ask(second), Decision::kValid);
  EXPECT_EQ(index_.size(), 1u);
}

TEST_F(IndexTest, R2_RecheckDecidesWithoutAMark) {
  const Known known = Put();
  EXPECT_EQ(index_.Recheck(known.record.digest, {}, kNow).decision, Decision::kValid);
  EXPECT_EQ(index_.Recheck(Make().record.digest, {}, kNow).decision, Decision::kNotFound);
  EXPECT_EQ(index_.waiting_marks(), 0u);
  EXPECT_FALSE(index_.LastUsed(known.record.id));
}

// One random history: keys are created, changed and revoked; every entry has its version.
struct History {
  std::vector<key::Record> changes;
  std::map<key::KeyId, key::Record> fold;
};

class FoldTest : public IndexTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  History MakeHistory(std::mt19937& dice) {
    History history;
    std::vector<key::KeyId> ids;
    for (int64_t version = 1; version <= 200; ++version) {
      key::Record next;
      if (ids.empty() || dice() % 4 == 0) {
        next = Make().record;
        ids.push_back(next.id);
      } else {
        next = history.fold.at(ids[dice() % ids.size()]);
        next.name = "v" + std::to_string(version);
        next.is_disabled = dice() % 3 == 0;
        if (dice() % 5 == 0 && !next.revoked_at) next.revoked_at = At(version);
      }
      next.version = version;
      history.changes.push_back(next);
      history.fold[next.id] = next;
    }
    return history;
  }
};

TEST_P(FoldTest, TheIndexIsTheFoldOfTheChangesInAnyDelivery) {
  std::mt19937 dice(GetParam());
  const History history = MakeHistory(dice);
  auto delivered = history.changes;
  for (int i = 0; i < 100; ++i) delivered.push_back(history.changes[dice() % 200]);
  std::shuffle(delivered.begin(), delivered.end(), dice);
  for (const auto& change : delivered) index_.Put(change);
  std::vector<key::Record> expected;
  for (const auto& [id, record] : history.fold) expected.push_back(record);
  EXPECT_EQ(index_.Dump(), expected) << "seed " << GetParam();
  EXPECT_EQ(index_.size(), expected.size());
  for (const auto& record : expected) {
    const auto answer = index_.Recheck(record.digest, {}, kNow);
    EXPECT_EQ(answer.decision, key::Decide(record, {}, kNow)) << "seed " << GetParam();
  }
}

// Whatever history is delivered, even one that no store can have: a key that was revoked in any of
// its versions is revoked.
TEST_P(FoldTest, R1_ARevocationSurvivesImpossibleHistories) {
  std::mt19937 dice(GetParam());
  std::vector<key::Record> keys;
  for (int i = 0; i < 8; ++i) keys.push_back(Make().record);
  std::map<key::KeyId, bool> was_revoked;
  for (int i = 0; i < 300; ++i) {
    key::Record next = keys[dice() % keys.size()];
    next.version = dice() % 50;
    if (dice() % 20 == 0) next.revoked_at = At(i);
    was_revoked[next.id] = was_revoked[next.id] || next.revoked_at;
    index_.Put(next);
    const bool is_revoked = index_.Find(next.id)->revoked_at.has_value();
    ASSERT_EQ(is_revoked, was_revoked[next.id]) << "seed " << GetParam() << " step " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FoldTest, ::testing::Range(1u, 51u));

TEST_F(IndexTest, ClearForgetsKeysButNotTheMarksThatWait) {
  const Known used = Put();
  const Known unused = Put();
  Ask(used, At(3));
  index_.Clear();
  EXPECT_EQ(index_.size(), 0u);
  EXPECT_EQ(Ask(used, At(4)), Decision::kNotFound);
  EXPECT_EQ(index_.Find(used.record.id), nullptr);
  EXPECT_TRUE(index_.Dump().empty());
  EXPECT_EQ(index_.LastUsed(used.record.id), At(3));
  EXPECT_FALSE(index_.LastUsed(unused.record.id));
  index_.Put(used.record);
  EXPECT_EQ(index_.size(), 1u);
  const auto marks = index_.TakeMarks(10);
  ASSERT_EQ(marks.size(), 1u);
  EXPECT_EQ(marks[0].at, At(3));
}

TEST_F(IndexTest, L1_OnlyAValidDecisionMarks) {
  Known known = Make();
  known.record.is_disabled = true;
  index_.Put(known.record);
  EXPECT_EQ(Ask(known), Decision::kDisabled);
  EXPECT_EQ(index_.waiting_marks(), 0u);
  known.record.is_disabled = false;
  known.record.version = 2;
  index_.Put(known.record);
  EXPECT_EQ(Ask(known, At(1)), Decision::kValid);
  EXPECT_EQ(index_.waiting_marks(), 1u);
  EXPECT_EQ(index_.LastUsed(known.record.id), At(1));
}

TEST_F(IndexTest, L1_MarksAreCoalescedPerKeyAndTakenOldestFirst) {
  const Known a = Put();
  const Known b = Put();
  const Known c = Put();
  Ask(b, At(1));
  Ask(a, At(2));
  Ask(c, At(3));
  Ask(b, At(9));
  EXPECT_EQ(index_.waiting_marks(), 3u);
  EXPECT_EQ(index_.OldestWaitingMark(), At(1));
  const auto first = index_.TakeMarks(2);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].key, b.record.id);
  EXPECT_EQ(first[0].at, At(9));
  EXPECT_EQ(first[1].key, a.record.id);
  EXPECT_EQ(index_.OldestWaitingMark(), At(3));
  EXPECT_EQ(index_.TakeMarks(2).size(), 1u);
  EXPECT_FALSE(index_.OldestWaitingMark());
  EXPECT_EQ(index_.waiting_marks(), 0u);
}

TEST_F(IndexTest, L1_AKeyThatIsUsedEarlierByTheClockIsStillTheOldest) {
  const Known a = Put();
  const Known b = Put();
  Ask(a, At(10));
  Ask(b, At(5));
  EXPECT_EQ(index_.OldestWaitingMark(), At(5));
  EXPECT_EQ(index_.TakeMarks(1).front().key, b.record.id);
}

TEST_F(IndexTest, L2_AMarkNeverGoesBack) {
  Known known = Make();
  known.record.last_used_at = At(10);
  index_.Put(known.record);
  EXPECT_EQ(index_.LastUsed(known.record.id), At(10));
  Ask(known, At(4));
  EXPECT_EQ(index_.LastUsed(known.record.id), At(10));
  EXPECT_EQ(index_.waiting_marks(), 0u) << "an older use has nothing to add";
}

TEST_F(IndexTest, L1_AReturnedMarkKeepsTheAgeOfItsFirstUse) {
  const Known a = Put();
  const Known b = Put();
  Ask(a, At(1));
  Ask(a, At(2));
  auto taken = index_.TakeMarks(10);
  Ask(b, At(3));
  Ask(a, At(4));
  EXPECT_EQ(index_.OldestWaitingMark(), At(3));
  index_.ReturnMarks(std::move(taken));
  EXPECT_EQ(index_.OldestWaitingMark(), At(1)) << "the use at 1 is not known to be written";
  EXPECT_EQ(index_.waiting_marks(), 2u) << "each key at most once";
  const auto marks = index_.TakeMarks(10);
  ASSERT_EQ(marks.size(), 2u);
  EXPECT_EQ(marks[0].key, a.record.id);
  EXPECT_EQ(marks[0].at, At(4));
  EXPECT_EQ(marks[1].key, b.record.id);
  EXPECT_EQ(index_.waiting_marks(), 0u);
}

TEST_F(IndexTest, L1_AReturnedMarkThatWaitsForNothingElseWaitsAgain) {
  const Known a = Put();
  Ask(a, At(1));
  index_.ReturnMarks(index_.TakeMarks(10));
  EXPECT_EQ(index_.waiting_marks(), 1u);
  EXPECT_EQ(index_.TakeMarks(10).front().at, At(1));
}

TEST_F(IndexTest, L1_AReturnedMarkOfAForgottenKeyIsKept) {
  const Known a = Put();
  Ask(a, At(1));
  auto taken = index_.TakeMarks(10);
  index_.Clear();
  index_.ReturnMarks(std::move(taken));
  EXPECT_EQ(index_.waiting_marks(), 1u);
  EXPECT_EQ(index_.TakeMarks(10).front().key, a.record.id);
}

// Verifiers on several threads, one writer and one taker: no use is lost, nothing races.
TEST_F(IndexTest, L1_NoUseIsLostBetweenVerifiersAndTheTaker) {
  constexpr size_t kKeys = 4;
  constexpr int64_t kUses = 3000;
  std::vector<Known> known;
  for (size_t i = 0; i < kKeys; ++i) known.push_back(Put());
  std::map<key::KeyId, WallTime> written;
  auto note = [&](const std::vector<Mark>& marks) {
    for (const auto& mark : marks) {
      ASSERT_GE(mark.at, written[mark.key]);
      written[mark.key] = mark.at;
    }
  };
  std::atomic<int> running{2};
  auto verify = [&](int64_t offset) {
    for (int64_t i = 0; i < kUses; ++i) {
      const auto& one = known[static_cast<size_t>(i) % kKeys];
      EXPECT_EQ(Ask(one, At(2 * i + offset)), Decision::kValid);
    }
    --running;
  };
  std::thread first(verify, 0);
  std::thread second(verify, 1);
  for (int64_t version = 2; running > 0; ++version) {
    key::Record record = known[static_cast<size_t>(version) % kKeys].record;
    record.version = version;
    index_.Put(record);
    note(index_.TakeMarks(3));
  }
  first.join();
  second.join();
  note(index_.TakeMarks(100));
  for (size_t i = 0; i < kKeys; ++i) {
    const auto last = static_cast<int64_t>(kUses - kKeys + i);
    EXPECT_EQ(written[known[i].record.id], At(2 * last + 1));
    EXPECT_EQ(index_.LastUsed(known[i].record.id), At(2 * last + 1));
  }
}

// A use and a take of a key that waits, at the same moment, many times: whoever comes first, the
// use is in this take or in the next.
TEST_F(IndexTest, L1_AUseThatMeetsATakeIsNotLost) {
  constexpr int64_t kRounds = 20'000;
  const Known known = Put();
  std::atomic<int64_t> begun{-1};
  std::atomic<int64_t> used{-1};
  std::thread user([&] {
    for (int64_t round = 0; round < kRounds; ++round) {
      while (begun != round) std::this_thread::yield();
      Ask(known, At(2 * round + 1));
      used = round;
    }
  });
  for (int64_t round = 0; round < kRounds; ++round) {
    Ask(known, At(2 * round));
    begun = round;
    auto taken = index_.TakeMarks(1);
    while (used != round) std::this_thread::yield();
    for (const auto& mark : index_.TakeMarks(1)) taken.push_back(mark);
    EXPECT_FALSE(taken.empty()) << "round " << round;
    if (taken.empty()) continue;
    EXPECT_EQ(taken.back().at, At(2 * round + 1)) << "round " << round;
  }
  user.join();
}

}  // namespace
}  // namespace p402::index
