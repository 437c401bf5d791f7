// What readers see while the one writer works. Run under the thread and address sanitizers: what is
// freed or written too early is their finding.

#include <atomic>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "index/index_test.h"

namespace p402::index {
namespace {

// Work that goes on in `count` threads until the end of the scope.
class Meanwhile {
 public:
  template <class F>
  Meanwhile(unsigned count, F step) {
    for (unsigned i = 0; i < count; ++i) {
      threads_.emplace_back([this, step, dice = std::mt19937(i + 1)]() mutable {
        do {
          step(dice);
        } while (!is_over_);
      });
    }
  }
  ~Meanwhile() {
    is_over_ = true;
    for (auto& thread : threads_) thread.join();
  }
  Meanwhile(const Meanwhile&) = delete;
  Meanwhile& operator=(const Meanwhile&) = delete;

 private:
  std::atomic<bool> is_over_{false};
  std::vector<std::thread> threads_;
};

TEST_F(IndexTest, R5_EveryKeyIsFoundAtEveryMomentOfGrowth) {
  constexpr size_t kKeys = 30'000;
  std::vector<key::Record> keys;
  keys.reserve(kKeys);
  key::Record record = Make().record;
  for (size_t i = 0; i < kKeys; ++i) {
    record.id = key::KeyId::New(ids_);
    random_.Fill(record.digest);
    keys.push_back(record);
  }
  std::atomic<size_t> put{0};
  std::atomic<size_t> lost{0};
  {
    Meanwhile readers(2, [&](std::mt19937& dice) {
      const size_t known = put;
      if (known == 0) return;
      const key::Record& one = keys[dice() % known];
      const auto answer = index_.Recheck(one.digest, {}, kNow);
      lost += answer.decision != Decision::kValid || answer.key.id() != one.id;
      lost += index_.Find(one.id) == nullptr;
      key::Digest unknown = one.digest;
      unknown[31] ^= 1;
      lost += index_.Recheck(unknown, {}, kNow).decision != Decision::kNotFound;
    });
    for (const key::Record& one : keys) {
      index_.Put(one);
      ++put;
    }
  }
  EXPECT_EQ(lost, 0u);
  EXPECT_EQ(index_.size(), kKeys);
}

TEST_F(IndexTest, R1_AfterPutHasReturnedNobodyIsToldValid) {
  constexpr size_t kKeys = 2'000;
  std::vector<Known> keys;
  for (size_t i = 0; i < kKeys; ++i) keys.push_back(Put());
  std::vector<std::atomic<bool>> is_revoked(kKeys);
  std::atomic<size_t> wrong{0};
  {
    Meanwhile readers(2, [&](std::mt19937& dice) {
      const size_t i = dice() % kKeys;
      const bool was_revoked = is_revoked[i];
      const auto decision = Ask(keys[i]);
      wrong += was_revoked ? decision != Decision::kRevoked
                           : decision != Decision::kRevoked && decision != Decision::kValid;
    });
    for (size_t i = 0; i < kKeys; ++i) {
      key::Record revoked = keys[i].record;
      revoked.version = 2;
      revoked.revoked_at = kNow;
      index_.Put(revoked);
      is_revoked[i] = true;
    }
  }
  EXPECT_EQ(wrong, 0u);
}

// Each version has the same number in all of its parts: no reader may see two of them mixed, and a
// view that is kept for a while must not change.
TEST_F(IndexTest, AVersionIsSeenWholeAndStaysWhileItIsLookedAt) {
  constexpr size_t kKeys = 3;
  std::vector<key::Record> keys;
  const auto version = [](const key::Record& base, int64_t number) {
    key::Record record = base;
    record.version = number;
    record.name = std::string(static_cast<size_t>(number % 100), 'n') + std::to_string(number);
    record.owner = std::to_string(number);
    record.scopes = *key::ScopeSet::ParseText("s" + std::to_string(number % 50));
    record.expires_at = At(number);
    record.is_disabled = number % 2 == 0;
    return record;
  };
  for (size_t i = 0; i < kKeys; ++i) keys.push_back(version(Put().record, 2));
  for (const auto& one : keys) index_.Put(one);
  std::atomic<size_t> wrong{0};
  const auto is_whole = [](const View& view) {
    const int64_t number = view.facts().version;
    return view.owner() == std::to_string(number) && view.name().ends_with(view.owner()) &&
           view.scopes() == "s" + std::to_string(number % 50) && view.expires_at() == At(number) &&
           view.is_disabled() == (number % 2 == 0);
  };
  {
    Meanwhile readers(2, [&](std::mt19937& dice) {
      const auto answer = index_.Recheck(keys[dice() % kKeys].digest, {}, kNow);
      const int64_t number = answer.key.facts().version;
      for (size_t i = dice() % 50; i > 0; --i) {
        wrong += !is_whole(answer.key) || answer.key.facts().version != number;
      }
    });
    for (int64_t number = 3; number < 10'000; ++number) {
      index_.Put(version(keys[static_cast<size_t>(number) % kKeys], number));
    }
  }
  EXPECT_EQ(wrong, 0u);
}

// One version has expired, the other is disabled: together their better halves would be valid.
TEST_F(IndexTest, V1_TheExpiryOfOneVersionIsNotSeenWithTheStateOfAnother) {
  constexpr size_t kKeys = 3;
  std::vector<key::Record> keys;
  for (size_t i = 0; i < kKeys; ++i) {
    keys.push_back(Make().record);
    keys.back().expires_at = kNow;
    index_.Put(keys.back());
  }
  std::atomic<size_t> valid{0};
  {
    Meanwhile readers(2, [&](std::mt19937& dice) {
      const auto answer = index_.Recheck(keys[dice() % kKeys].digest, {}, kNow);
      valid += answer.decision != Decision::kExpired && answer.decision != Decision::kDisabled;
    });
    for (int64_t number = 2; number < 60'000; ++number) {
      key::Record next = keys[static_cast<size_t>(number) % kKeys];
      next.version = number;
      next.is_disabled = number / kKeys % 2 == 0;
      next.expires_at = next.is_disabled ? At(1000) : kNow;
      index_.Put(next);
    }
  }
  EXPECT_EQ(valid, 0u);
}

// An index that made room for few keys and many, filled beyond it, emptied and filled again.
TEST_F(IndexTest, R5_EveryKeyIsFoundWhereverItsCellIs) {
  for (const size_t room : {1u, 100u, 5000u}) {
    Index index("p402");
    index.Reserve(room);
    for (int round = 0; round < 2; ++round) {
      std::vector<key::Record> records;
      for (int i = 0; i < 1000; ++i) records.push_back(Make().record);
      index.Put(records);
      EXPECT_EQ(index.size(), records.size());
      for (key::Record& record : records) {
        EXPECT_EQ(index.Recheck(record.digest, {}, kNow).key.id(), record.id);
        random_.Fill(record.digest);
        ++record.version;
        index.Put(record);
        EXPECT_EQ(index.Recheck(record.digest, {}, kNow).key.id(), record.id);
      }
      EXPECT_EQ(index.Dump().size(), records.size());
      index.Clear();
      index.Reserve(room);
    }
  }
}

// Keys get new digests and the index is emptied while it is asked: a key is found with one of its
// digests or not at all, and its uses go with it.
TEST_F(IndexTest, MovingAndClearingUnderReaders) {
  constexpr size_t kKeys = 20;
  constexpr int64_t kRounds = 400;
  std::mutex mutex;
  std::vector<Known> keys;
  for (size_t i = 0; i < kKeys; ++i) keys.push_back(Put());
  const auto current = [&](size_t i) {
    std::lock_guard lock(mutex);
    return keys[i];
  };
  std::atomic<size_t> wrong{0};
  std::atomic<int64_t> second{0};
  std::atomic<size_t> uses{0};
  {
    Meanwhile readers(2, [&](std::mt19937& dice) {
      const Known known = current(dice() % kKeys);
      const auto answer = index_.Verify(known.raw_key, {}, At(++second));
      uses += answer.decision == Decision::kValid;
      wrong += answer.key && answer.key.id() != known.record.id;
      const auto last_used = index_.LastUsed(known.record.id);
      wrong += last_used > At(second);
    });
    for (int64_t round = 2; round < kRounds; ++round) {
      Known next = Make(round);
      const size_t i = static_cast<size_t>(round) % kKeys;
      next.record.id = current(i).record.id;
      index_.Put(next.record);
      std::unique_lock lock(mutex);
      keys[i] = next;
      lock.unlock();
      if (round % 100 == 0) {
        index_.Clear();
        for (size_t k = 0; k < kKeys; ++k) index_.Put(current(k).record);
      }
      index_.ReturnMarks(index_.TakeMarks(5));
    }
  }
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(index_.size(), kKeys);
  EXPECT_EQ(index_.TakeMarks(SIZE_MAX).empty(), uses == 0);
}

}  // namespace
}  // namespace p402::index
