#include <benchmark/benchmark.h>

#include <string>

#include "key/digest.h"

namespace p402::key {
namespace {

// The SHA-256 of a raw key: one block, and most of a verification.
void BM_DigestOf(benchmark::State& state) {
  std::string raw_key = "p402_live_0123456789abcdefghijABCDEFGHIJ0123456789";
  raw_key.resize(48, '0');
  size_t next = 0;
  for (auto _ : state) {
    raw_key[10 + next++ % 32] ^= 1;  // a different one every time
    benchmark::DoNotOptimize(DigestOf(raw_key));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_DigestOf)->ThreadRange(1, 2)->UseRealTime();

}  // namespace
}  // namespace p402::key
