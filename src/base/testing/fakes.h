#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/random.h"

// Fakes that the tests of every floor use.
namespace p402::testing {

// A clock that moves only when it is told to.
// Threads: safe to call concurrently.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(WallTime start = WallTime(Millis(1'776'254'400'000)));  // 2026-04-15T12:00:00Z
  WallTime Now() const override;
  BootTime Boot() const override;
  void Advance(Millis by);   // both clocks
  void StepWall(Millis by);  // the wall clock alone, either way

 private:
  std::atomic<int64_t> wall_ms_;
  std::atomic<int64_t> boot_ns_;
};

// A repeatable generator (splitmix64).
// Threads: safe to call concurrently.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed = 1) : state_(seed) {}
  void Fill(std::span<uint8_t> out) override;

 private:
  std::mutex mutex_;
  uint64_t state_;
};

// A scheduler that runs nothing until it is told to.
// Threads: Post from any thread, Run* from one.
class ManualScheduler final : public Scheduler {
 public:
  explicit ManualScheduler(FakeClock& clock) : clock_(clock) {}
  void Post(Task task) override;
  void PostAfter(Millis delay, Task task) override;
  // Runs what is due, until nothing is. Returns how many tasks ran.
  size_t RunUntilIdle();
  // Moves the clock in steps to each delayed task that becomes due, and runs it.
  void Advance(Millis by);

 private:
  FakeClock& clock_;
  std::mutex mutex_;
  std::deque<Task> ready_;
  std::multimap<BootTime, Task> later_;
};

// Keeps every line as text "event name=value …".
class MemoryLog final : public Log {
 public:
  void Write(LogLevel level, std::string_view event, std::span<const LogField> fields) override;
  std::vector<std::string> Lines() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace p402::testing
