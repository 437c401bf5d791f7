#pragma once

#include <memory>
#include <string>

#include "base/executor.h"

namespace p402 {

// A TaskThread that can be told to run nothing any more while it still takes completions: what its
// tasks use may then be destroyed before it is.
class GuardedScheduler final : public Scheduler {
 public:
  GuardedScheduler(std::string name, const Clock& clock);
  ~GuardedScheduler() override;

  void Post(Task task) override;
  void PostAfter(Millis delay, Task task) override;
  // When it returns, no task is running and none will.
  // Requires: another thread than its own.
  void Close();

 private:
  struct Guard;
  Task Guarded(Task task);
  std::shared_ptr<Guard> guard_;
  TaskThread thread_;
};

}  // namespace p402
