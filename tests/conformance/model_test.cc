#include <algorithm>

#include "conformance/store_test.h"
#include "store/memory/memory_store.h"

namespace p402::conformance {
namespace {

// The same random changes go into the store under test and into the simplest one; every random
// question must have the same answer.
class Twin {
 public:
  Twin(store::Store& store, store::Store& model, Executor& executor)
      : store_(store), model_(model), executor_(executor) {}

  void Write(const store::Writes& writes) {
    auto commit = [&](store::Store& to) {
      return Await<Result<store::Committed>>(executor_, [&](auto done) {
        to.Commit([writes](store::Transaction&) -> Result<store::Writes> { return writes; },
                  std::move(done));
      });
    };
    auto one = commit(store_);
    auto other = commit(model_);
    ASSERT_EQ(one.has_value(), other.has_value());
    if (one) {
      EXPECT_EQ(one->seq, other->seq);
    } else {
      EXPECT_EQ(one.error().code, other.error().code);
    }
  }

  void Mark(const store::UsageMark& mark) {
    for (auto* store : {&store_, &model_}) {
      EXPECT_TRUE(Await<Status>(executor_,
                                [&](auto done) { store->usage().Write({mark}, std::move(done)); }));
    }
  }

  void CompareLists(const store::KeyPageRequest& request) {
    auto list = [&](store::Store& from) {
      return Await<Result<store::KeyPage>>(
          executor_, [&](auto done) { from.keys().List(request, std::move(done)); });
    };
    auto one = list(store_);
    auto other = list(model_);
    ASSERT_TRUE(one && other);
    EXPECT_EQ(one->keys, other->keys);
    EXPECT_EQ(one->has_more, other->has_more);
  }

  void CompareAll() {
    auto scan = [&](store::Store& from) {
      return Await<Result<std::vector<key::Record>>>(
          executor_, [&](auto done) { from.keys().Scan({}, 10'000, std::move(done)); });
    };
    EXPECT_EQ(*scan(store_), *scan(model_));
    auto audit_head = [&](store::Store& from) {
      return Await<Result<store::AuditHead>>(
          executor_, [&](auto done) { from.audit().ReadHead(std::move(done)); });
    };
    EXPECT_EQ(*audit_head(store_), *audit_head(model_)) << "the chains are equal, hash by hash";
  }

 private:
  store::Store& store_;
  store::Store& model_;
  Executor& executor_;
};

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}
  size_t Roll(size_t sides) { return static_cast<size_t>(random_.Next64() % sides); }
  bool Chance(size_t one_in) { return Roll(one_in) == 0; }
  template <class T>
  const T& Pick(const std::vector<T>& from) {
    return from[Roll(from.size())];
  }

 private:
  p402::testing::SeededRandom random_;
};

const std::vector<std::string> kNames = {"agent", "Agent 2", "deploy", "", "naïve agent"};
const std::vector<std::string> kOwners = {"", "ci", "team"};

key::Record Changed(key::Record record, Dice& dice, WallTime now) {
  switch (dice.Roll(5)) {
    case 0:
      record.revoked_at = now;
      break;
    case 1:
      record.is_disabled = !record.is_disabled;
      break;
    case 2:
      record.expires_at = now + Millis(static_cast<int64_t>(dice.Roll(2000)) - 1000);
      break;
    case 3:
      record.revoked_at.reset();  // refused if it was revoked
      break;
    default:
      record.name = dice.Pick(kNames);
  }
  return record;
}

store::KeyPageRequest RandomRequest(Dice& dice, const std::vector<key::AccountId>& accounts,
                                    const std::vector<key::Record>& keys, WallTime now) {
  store::KeyPageRequest request{.account = dice.Pick(accounts), .filter = {.now = now}};
  store::KeyFilter& filter = request.filter;
  request.limit = 1 + dice.Roll(30);
  if (dice.Chance(3)) request.before = dice.Pick(keys).id;
  if (dice.Chance(4)) filter.mode = dice.Chance(2) ? key::Mode::kLive : key::Mode::kTest;
  if (dice.Chance(3)) filter.status = static_cast<key::KeyStatus>(dice.Roll(4));
  if (dice.Chance(4)) filter.owner = dice.Pick(kOwners);
  if (dice.Chance(4)) {
    filter.prefix = dice.Pick(keys).prefix.substr(0, dice.Roll(17));
  }
  if (dice.Chance(4)) filter.name = dice.Pick(kNames);
  if (dice.Chance(4)) filter.unused_since = now - Millis(static_cast<int64_t>(dice.Roll(300)));
  if (dice.Chance(4)) filter.expires_before = now + Millis(static_cast<int64_t>(dice.Roll(500)));
  return request;
}

TEST_P(ModelConformance, A3_AnswersAsTheModelDoes) {
  const uint64_t seed = 402;
  SCOPED_TRACE(seed);
  Dice dice(seed);
  auto model = store::memory::Create(clock_, random_);
  Twin twin(store(), *model, executor_);
  std::vector<key::AccountId> accounts;
  for (int i = 0; i < 2; ++i) {
    const auto id = key::AccountId::New(generator_);
    accounts.push_back(id);
    twin.Write({.accounts = {{.id = id, .name = "a", .is_first = i == 0}},
                .audit = {AuditOf(id, "account.create")}});
  }
  std::vector<key::Record> keys;
  for (int i = 0; i < 400; ++i) {
    clock_.Advance(Millis(static_cast<int64_t>(dice.Roll(3))));
    key::Record record = NewKey(dice.Pick(accounts), dice.Pick(kNames));
    record.owner = dice.Pick(kOwners);
    record.mode = dice.Chance(3) ? key::Mode::kTest : key::Mode::kLive;
    if (!keys.empty() && dice.Chance(3)) record = Changed(dice.Pick(keys), dice, clock_.Now());
    if (!keys.empty() && dice.Chance(20)) record.digest = dice.Pick(keys).digest;
    twin.Write(KeyChange(record, store::ChangeKind::kUpdate));
    keys.push_back(record);
    if (dice.Chance(3)) {
      const auto at = clock_.Now() + Millis(static_cast<int64_t>(dice.Roll(20)) - 15);
      twin.Mark({.key = dice.Pick(keys).id, .at = at});
    }
    twin.CompareLists(RandomRequest(dice, accounts, keys, clock_.Now()));
  }
  twin.CompareAll();
}

}  // namespace
}  // namespace p402::conformance
