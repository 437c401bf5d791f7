// What a verification in the process costs, by number of keys. Run with
//   build/release/src/index/p402_index_bench --benchmark_filter=/1000000
// The keys are asked in a random order, each once in a round. What is printed beside the time:
// sha256_share of it, bytes a key that decide, and all bytes a key.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>

#include "base/check.h"
#include "index/index.h"
#include "key/digest.h"
#include "key/raw_key.h"

namespace p402::index {
namespace {

constexpr WallTime kNow{Millis(1'776'254'400'000)};
constexpr size_t kRawBytes = 48;  // p402_live_ and 38 characters

// splitmix64: the same keys in every run.
class Numbers final : public Random {
 public:
  explicit Numbers(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15;
    uint64_t mixed = (state_ ^ state_ >> 30) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
    return mixed ^ mixed >> 31;
  }
  void Fill(std::span<uint8_t> out) override {
    for (size_t i = 0; i < out.size(); i += sizeof(uint64_t)) {
      const uint64_t bits = Next();
      std::memcpy(out.data() + i, &bits, std::min(sizeof bits, out.size() - i));
    }
  }

 private:
  uint64_t state_;
};

// An index of so many keys, and their raw keys one after the other in the order of asking, so that
// reading them costs what reading a request costs.
struct World {
  explicit World(size_t count) : index(std::make_unique<Index>("p402")) {
    Numbers numbers(count);
    std::array<key::AccountId, 16> accounts;
    for (auto& account : accounts) numbers.Fill(account.uuid);
    std::vector<uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    for (size_t i = count; i > 1; --i) std::swap(order[i - 1], order[numbers.Next() % i]);
    raw_keys.resize(count * kRawBytes);
    strangers.resize(kStrangers * kRawBytes);
    for (size_t i = 0; i < kStrangers; ++i) Write(numbers, strangers, i);
    index->Reserve(count);
    for (size_t i = 0; i < count; ++i) {
      const std::string_view raw = Write(numbers, raw_keys, order[i]);
      index->Put(MakeRecord(numbers, raw, i, accounts));
    }
  }

  static std::string_view Write(Numbers& numbers, std::string& to, size_t place) {
    const Secret raw = key::GenerateRawKey(numbers, "p402", key::Mode::kLive);
    P402_CHECK(raw.Reveal().size() == kRawBytes);
    raw.Reveal().copy(to.data() + place * kRawBytes, kRawBytes);
    return At(to, place);
  }
  static std::string_view At(const std::string& keys, size_t place) {
    return std::string_view(keys).substr(place * kRawBytes, kRawBytes);
  }
  // A key as they are: two scopes, a name, every second one expires.
  static key::Record MakeRecord(Numbers& numbers, std::string_view raw, size_t i,
                                const std::array<key::AccountId, 16>& accounts) {
    key::Record record;
    record.id.uuid = {1, 2, 3, static_cast<uint8_t>(i >> 16), static_cast<uint8_t>(i >> 8)};
    numbers.Fill(std::span(record.id.uuid).subspan(8));
    record.account = accounts[i % accounts.size()];
    record.digest = key::DigestOf(raw);
    record.prefix = raw.substr(0, 16);
    record.name = "service " + std::to_string(i);
    record.scopes = *key::ScopeSet::ParseText("models:read models:write");
    record.created_at = kNow;
    record.created_by = {key::ActorKind::kKey, record.id.ToString()};
    if (i % 2 == 0) record.expires_at = kNow + std::chrono::days(30);
    record.version = static_cast<int64_t>(i) + 1;
    return record;
  }

  static constexpr size_t kStrangers = 100'000;
  std::unique_ptr<Index> index;
  std::string raw_keys;
  std::string strangers;
};

World& WorldOf(int64_t count) {
  static std::mutex mutex;  // of two threads, one makes it
  static std::map<int64_t, std::unique_ptr<World>> worlds;
  std::lock_guard lock(mutex);
  auto& world = worlds[count];
  if (!world) {
    worlds.clear();  // one at a time fits in memory
    worlds[count] = std::make_unique<World>(static_cast<size_t>(count));
  }
  return *worlds[count];
}

double HashNanoseconds(const World& world) {
  constexpr size_t kRounds = 100'000;
  const auto begin = std::chrono::steady_clock::now();
  for (size_t i = 0; i < kRounds; ++i) {
    benchmark::DoNotOptimize(key::DigestOf(World::At(world.strangers, i)));
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  return took.count() / kRounds;
}

void Report(benchmark::State& state, const World& world) {
  if (state.thread_index() != 0) return;
  const MemoryUse use = world.index->memory_use();
  const auto keys = static_cast<double>(world.index->size());
  state.counters["sha256_ns"] = HashNanoseconds(world);
  state.counters["deciding_bytes"] = static_cast<double>(use.for_decisions()) / keys;
  state.counters["all_bytes"] = static_cast<double>(use.for_decisions() + use.facts) / keys;
}

// Requires: every answer is `expected`.
void Ask(benchmark::State& state, key::Decision expected, const key::Question& question,
         bool marks_use, bool asks_strangers = false) {
  World& world = WorldOf(state.range(0));
  const std::string& keys = asks_strangers ? world.strangers : world.raw_keys;
  const size_t count = keys.size() / kRawBytes;
  size_t next =
      count / static_cast<size_t>(state.threads()) * static_cast<size_t>(state.thread_index());
  int64_t second = 0;
  for (auto _ : state) {
    const Answer answer = world.index->Verify(World::At(keys, next), question,
                                              kNow + std::chrono::seconds(second), marks_use);
    P402_CHECK(answer.decision == expected);
    if (++next == count) {
      next = 0;
      ++second;
    }
  }
  state.SetItemsProcessed(state.iterations());
  Report(state, world);
}

void BM_Verify(benchmark::State& state) {
  Ask(state, key::Decision::kValid, {}, /*marks_use=*/false);
}
void BM_VerifyWithScope(benchmark::State& state) {
  const std::vector<std::string> scopes = {"models:read"};
  Ask(state, key::Decision::kValid, {.scopes = scopes}, /*marks_use=*/false);
}
void BM_VerifyAndMark(benchmark::State& state) {
  Ask(state, key::Decision::kValid, {}, /*marks_use=*/true);
  if (state.thread_index() == 0) WorldOf(state.range(0)).index->TakeMarks(SIZE_MAX);
}
void BM_VerifyUnknown(benchmark::State& state) {
  Ask(state, key::Decision::kNotFound, {}, /*marks_use=*/false, /*asks_strangers=*/true);
}
void Sizes(benchmark::internal::Benchmark* benchmark) {
  for (const int64_t keys : {1'000, 10'000, 100'000, 1'000'000, 10'000'000}) benchmark->Arg(keys);
}

// The step that comes before the index.
void BM_Parse(benchmark::State& state) {
  const World& world = WorldOf(1000);
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(key::ParseRawKey(World::At(world.strangers, next), "p402"));
    if (++next == World::kStrangers) next = 0;
  }
}
void BM_Digest(benchmark::State& state) {
  const World& world = WorldOf(1000);
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(key::DigestOf(World::At(world.strangers, next)));
    if (++next == World::kStrangers) next = 0;
  }
}
void BM_Pin(benchmark::State& state) {
  Readers readers;
  for (auto _ : state) {
    const auto pin = readers.Enter();
    benchmark::DoNotOptimize(pin);
  }
}

// An index that did not know how many keys there will be: what a key costs to put, and what the
// index occupies at most on the way and in the end, in bytes a key. The most is where a directory
// moves into a larger one, and both are there.
void BM_Grow(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  constexpr size_t kBetweenLooks = 64;  // a move takes 256 keys
  const auto bytes = [](const Index& index) {
    const MemoryUse use = index.memory_use();
    return static_cast<double>(use.for_decisions() + use.facts);
  };
  double most = 0;
  double last = 0;
  for (auto _ : state) {
    Numbers numbers(count);
    std::array<key::AccountId, 16> accounts{};
    Index index("p402");
    key::Record record = World::MakeRecord(numbers, "p402_live_1234567890", 1, accounts);
    for (size_t i = 0; i < count; ++i) {
      numbers.Fill(record.id.uuid);
      numbers.Fill(record.digest);
      index.Put(record);
      if (i % kBetweenLooks == 0) most = std::max(most, bytes(index));
    }
    last = bytes(index);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["most_bytes"] = std::max(most, last) / static_cast<double>(count);
  state.counters["last_bytes"] = last / static_cast<double>(count);
}

BENCHMARK(BM_Parse);
BENCHMARK(BM_Digest);
BENCHMARK(BM_Pin);
BENCHMARK(BM_Verify)->Apply(Sizes);
BENCHMARK(BM_VerifyWithScope)->Apply(Sizes);
BENCHMARK(BM_VerifyAndMark)->Apply(Sizes);
BENCHMARK(BM_VerifyUnknown)->Apply(Sizes);
BENCHMARK(BM_Grow)->Arg(1'000'000)->Arg(10'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Verify)->Name("BM_VerifyOnTwoThreads")->Apply(Sizes)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace p402::index
