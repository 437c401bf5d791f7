#include <benchmark/benchmark.h>

#include <string>

#include "base/check.h"
#include "net/head_parser.h"

namespace p402::net {
namespace {

void BM_ParseHead(benchmark::State& state) {
  const std::string text =
      "POST /api/v2/keys/verify HTTP/1.1\r\nHost: keys.example.org:4020\r\n"
      "Authorization: Bearer p402_live_0123456789abcdefghijABCDEFGHIJ0123456789\r\n"
      "Content-Type: application/json\r\nContent-Length: 77\r\nUser-Agent: bench/1.0\r\n"
      "Accept: */*\r\n\r\n";
  Head head;
  for (auto _ : state) {
    HeadProgress progress;
    const HeadEnd end = FindHeadEnd(text, HeadLimits{}, progress);
    const auto error = ParseHead(std::string_view(text).substr(0, end.bytes), HeadLimits{}, head);
    P402_CHECK(!error);
    benchmark::DoNotOptimize(head);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * text.size()));
}
BENCHMARK(BM_ParseHead);

}  // namespace
}  // namespace p402::net
