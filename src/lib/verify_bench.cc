#include <benchmark/benchmark.h>

#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "index/index.h"
#include "key/digest.h"
#include "p402/c.h"
#include "store/testing/temp_folder.h"

// What the way through p402/c.h costs beside the look into the index.
namespace p402::lib {
namespace {

void BM_Index(benchmark::State& state) {
  SystemRandom random;
  const RealClock clock;
  const Secret raw_key = key::GenerateRawKey(random, "p402", key::Mode::kLive);
  index::Index index("p402");
  key::Record record{
      .id = {}, .account = {}, .name = "agent", .owner = "customer-42", .version = 1};
  record.digest = key::DigestOf(raw_key.Reveal());
  record.scopes = *key::ScopeSet::ParseText("models:read models:run");
  index.Put(record);
  const std::string scope = "models:read";
  const key::Question question{
      .account = record.account, .mode = key::Mode::kLive, .scopes = {&scope, 1}};
  for (auto _ : state) {
    const auto answer = index.Verify(raw_key.Reveal(), question, clock.Now());
    if (answer.decision != key::Decision::kValid) state.SkipWithError("not valid");
  }
}
BENCHMARK(BM_Index);

void BM_CApi(benchmark::State& state) {
  const store::testing::TempFolder folder;
  const p402_text path = p402_text_of(folder.path().c_str());
  p402_created root;
  p402_init(path, {}, &root, nullptr);
  p402_options options{};
  options.folder = path;
  p402_keys* keys = p402_open(&options, nullptr);
  const p402_text scope = p402_text_of("models:read");
  p402_question question{};
  question.presented = p402_text_of(root.raw_key);
  question.scopes = &scope;
  question.scope_count = 1;
  p402_answer answer;
  p402_texts texts;
  const auto wants = state.range(0);
  for (auto _ : state) {
    const bool is_valid =
        p402_verify(keys, &question, wants > 0 ? &answer : nullptr, wants > 1 ? &texts : nullptr);
    if (!is_valid) state.SkipWithError("not valid");
  }
  p402_close(keys, nullptr);
}
BENCHMARK(BM_CApi)->Arg(0)->Arg(1)->Arg(2)->ArgName("0 bool, 1 answer, 2 texts");

}  // namespace
}  // namespace p402::lib
