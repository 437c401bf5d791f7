#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace p402 {

// Where unpredictable bytes come from.
// Threads: safe to call concurrently.
class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(std::span<uint8_t> out) = 0;
  uint64_t Next64();
};

// The operating system's generator through OpenSSL's private DRBG (RAND_priv_bytes); a failure
// aborts.
class SystemRandom final : public Random {
 public:
  void Fill(std::span<uint8_t> out) override;
};

}  // namespace p402
