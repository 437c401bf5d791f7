// What the index occupies, and that a verification allocates nothing.

#include <new>

#include "base/testing/count_allocations.h"
#include "index/index_test.h"

namespace p402::index {
namespace {

TEST_F(IndexTest, AVerificationAllocatesNothing) {
  Known plain = Put();
  Known full = Make();
  full.record.scopes = *key::ScopeSet::ParseText("a b");
  full.record.allowed_cidrs =
      *key::CidrSet::Parse(std::vector<std::string>{"10.0.0.0/8", "192.0.2.0/24"});
  full.record.expires_at = At(1'000'000);
  full.record.name = std::string(80, 'n');
  full.record.metadata = std::string(500, 'm');
  index_.Put(full.record);
  const Known unknown = Make();
  const std::vector<std::string> wanted = {"a", "b"};
  const key::Question question{
      .account = account_, .scopes = wanted, .ip = key::IpAddress::Parse("10.1.2.3")};
  int64_t second = 0;
  size_t seen = 0;
  const auto ask = [&](int count) {
    for (int i = 0; i < count; ++i) {
      seen += index_.Verify(plain.raw_key, {}, At(++second)).decision == Decision::kValid;
      const auto answer = index_.Verify(full.raw_key, question, At(second));
      seen += answer.decision == Decision::kValid && answer.key.name().size() == 80 &&
              answer.key.metadata().size() == 500 && answer.key.scopes() == "a b";
      seen += index_.Verify(unknown.raw_key, {}, At(second)).decision == Decision::kNotFound;
      seen += index_.Verify("p402_live_x", {}, At(second)).decision == Decision::kMalformed;
      seen +=
          index_.Recheck(full.record.digest, {}, At(second)).decision == Decision::kIpNotAllowed;
    }
  };
  ask(10);
  const size_t before = p402::testing::allocations_of_this_thread;
  ::operator delete(::operator new(1));  // as a call it is not optimised away
  EXPECT_EQ(p402::testing::allocations_of_this_thread, before + 1) << "they are counted";
  seen = 0;
  ask(1000);
  EXPECT_EQ(p402::testing::allocations_of_this_thread, before + 1);
  EXPECT_EQ(seen, 5000u);
}

// Marks of many keys, taken again and again: the queues keep their memory. Each processor that the
// thread meets has a queue of its own, which has to get its size.
TEST_F(IndexTest, L1_AMarkAllocatesNothingOnceTheQueuesHaveTheirSize) {
  constexpr size_t kRounds = 20;
  std::vector<Known> keys;
  for (int i = 0; i < 3000; ++i) keys.push_back(Put());
  size_t valid = 0;
  size_t allocated = 0;
  for (size_t round = 0; round < kRounds; ++round) {
    const size_t before = p402::testing::allocations_of_this_thread;
    const WallTime now = At(static_cast<int64_t>(round));
    for (const Known& known : keys) valid += Ask(known, now) == Decision::kValid;
    allocated += p402::testing::allocations_of_this_thread - before;
    EXPECT_EQ(index_.TakeMarks(SIZE_MAX).size(), keys.size());
  }
  EXPECT_EQ(valid, keys.size() * kRounds);
  EXPECT_LT(allocated, size_t{200}) << "of 60,000 uses: a few blocks for each of a few queues";
}

TEST_F(IndexTest, AKeyNeedsAtMostAHundredBytesToBeDecided) {
  constexpr size_t kKeys = 200'000;
  key::Record record = Make().record;
  record.scopes = *key::ScopeSet::ParseText("models:read models:write");
  std::string name(40, 'n');
  record.expires_at = At(1000);
  for (size_t i = 0; i < kKeys; ++i) {
    record.id = key::KeyId::New(ids_);
    random_.Fill(record.digest);
    record.name = name;
    index_.Put(record);
  }
  const MemoryUse use = index_.memory_use();
  EXPECT_LE(use.for_decisions(), kKeys * 100) << "96 at ten million: what is fixed counts here";
  EXPECT_GE(use.for_decisions(), kKeys * (64 + 2 * 10 + 8));
  EXPECT_GE(use.cells, kKeys * 64);
  EXPECT_EQ(use.limits, kKeys * 8);
  EXPECT_LE(use.shared, size_t{1000}) << "one account and one set of scopes";
  EXPECT_GE(use.facts, kKeys * 40);
  EXPECT_LE(use.facts, kKeys * 112 + (4 << 20));
}

// Changing a key a thousand times needs no more memory than changing it a few times.
TEST_F(IndexTest, WhatIsReplacedIsUsedAgain) {
  Known known = Put();
  const auto change = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ++known.record.version;
      known.record.metadata = std::string(static_cast<size_t>(i % 50) * 80, 'm');
      known.record.scopes = *key::ScopeSet::ParseText("s" + std::to_string(1000 + i % 200));
      index_.Put(known.record);
    }
  };
  change(200);
  const MemoryUse before = index_.memory_use();
  change(10'000);
  const MemoryUse after = index_.memory_use();
  EXPECT_EQ(after.facts, before.facts);
  EXPECT_EQ(after.shared, before.shared);
  EXPECT_EQ(after.cells, before.cells);
}

}  // namespace
}  // namespace p402::index
