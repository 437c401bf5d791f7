#include "base/random.h"

#include <openssl/rand.h>

#include <cstring>

#include "base/check.h"

namespace p402 {

uint64_t Random::Next64() {
  std::array<uint8_t, 8> bytes;
  Fill(bytes);
  uint64_t value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

void SystemRandom::Fill(std::span<uint8_t> out) {
  P402_CHECK(RAND_priv_bytes(out.data(), static_cast<int>(out.size())) == 1);
}

}  // namespace p402
