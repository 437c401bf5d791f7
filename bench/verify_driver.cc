// Verifies keys in the process and prints how many were valid: what `script/bench instructions`
// counts the instructions of. verify_driver KEYS VERIFICATIONS
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/testing/fakes.h"
#include "base/typeid.h"
#include "index/index.h"
#include "key/digest.h"
#include "key/raw_key.h"

namespace p402 {
namespace {

size_t ReadCount(const char* text) {
  size_t count = 0;
  std::from_chars(text, text + std::strlen(text), count);
  return count;
}

size_t Verify(size_t keys, size_t verifications) {
  constexpr WallTime kNow{Millis(1'776'254'400'000)};
  testing::SeededRandom random;  // two runs differ in nothing but their length
  key::KeyId id;
  const key::AccountId account;
  index::Index index("p402");
  std::vector<std::string> raw_keys;
  for (size_t i = 0; i < keys; ++i) {
    random.Fill(id.uuid);
    const Secret raw_key = key::GenerateRawKey(random, "p402", key::Mode::kLive);
    raw_keys.emplace_back(raw_key.Reveal());
    index.Put({.id = id, .account = account, .digest = key::DigestOf(raw_keys.back())});
  }
  const key::Question question{.account = account, .mode = key::Mode::kLive};
  size_t valid = 0;
  for (size_t i = 0; i < verifications; ++i) {
    const auto answer = index.Verify(raw_keys[i % keys], question, kNow);
    valid += answer.decision == key::Decision::kValid;
  }
  return valid;
}

}  // namespace
}  // namespace p402

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const size_t keys = p402::ReadCount(argv[1]);
  const size_t verifications = p402::ReadCount(argv[2]);
  if (keys == 0) return 2;
  const size_t valid = p402::Verify(keys, verifications);
  std::printf("%zu\n", valid);
  return valid == verifications ? 0 : 1;
}
