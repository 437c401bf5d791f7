#include "base/testing/fakes.h"

#include <fmt/format.h>

namespace p402::testing {

FakeClock::FakeClock(WallTime start)
    : wall_ms_(start.time_since_epoch().count()), boot_ns_(3'600'000'000'000) {}

WallTime FakeClock::Now() const {
  return WallTime(Millis(wall_ms_.load()));
}
BootTime FakeClock::Boot() const {
  return BootTime(std::chrono::nanoseconds(boot_ns_.load()));
}

void FakeClock::Advance(Millis by) {
  wall_ms_ += by.count();
  boot_ns_ += std::chrono::nanoseconds(by).count();
}

void FakeClock::StepWall(Millis by) {
  wall_ms_ += by.count();
}

void SeededRandom::Fill(std::span<uint8_t> out) {
  std::lock_guard lock(mutex_);
  for (uint8_t& byte : out) {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    byte = static_cast<uint8_t>((z ^ (z >> 31)) >> 32);
  }
}

void ManualScheduler::Post(Task task) {
  std::lock_guard lock(mutex_);
  ready_.push_back(std::move(task));
}

void ManualScheduler::PostAfter(Millis delay, Task task) {
  std::lock_guard lock(mutex_);
  later_.emplace(clock_.Boot() + delay, std::move(task));
}

size_t ManualScheduler::RunUntilIdle() {
  size_t ran = 0;
  for (;;) {
    Task task;
    {
      std::lock_guard lock(mutex_);
      while (!later_.empty() && later_.begin()->first <= clock_.Boot()) {
        ready_.push_back(std::move(later_.begin()->second));
        later_.erase(later_.begin());
      }
      if (ready_.empty()) return ran;
      task = std::move(ready_.front());
      ready_.pop_front();
    }
    task();
    ++ran;
  }
}

void ManualScheduler::Advance(Millis by) {
  const BootTime end = clock_.Boot() + by;
  for (;;) {
    RunUntilIdle();
    BootTime next = end;
    {
      std::lock_guard lock(mutex_);
      if (!later_.empty()) next = std::min(end, later_.begin()->first);
    }
    if (clock_.Boot() >= end) return;
    clock_.Advance(std::chrono::ceil<Millis>(next - clock_.Boot()));
  }
}

void MemoryLog::Write(LogLevel, std::string_view event, std::span<const LogField> fields) {
  std::string line(event);
  for (const LogField& field : fields) {
    line += fmt::format(" {}=", field.name);
    std::visit([&](const auto& value) { line += fmt::format("{}", value); }, field.value);
  }
  std::lock_guard lock(mutex_);
  lines_.push_back(std::move(line));
}

std::vector<std::string> MemoryLog::Lines() const {
  std::lock_guard lock(mutex_);
  return lines_;
}

}  // namespace p402::testing
