#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"

namespace p402 {

using Task = std::move_only_function<void()>;

// Somewhere that tasks run.
// Threads: Post may be called from any thread; it never runs the task before it returns.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void Post(Task task) = 0;
};

// An executor that runs its tasks one after another on one thread, and later ones on time.
class Scheduler : public Executor {
 public:
  // Runs `task` at the earliest `delay` from now. Tasks that are still waiting at destruction are
  // dropped.
  virtual void PostAfter(Millis delay, Task task) = 0;
};

// A Scheduler with a thread of its own. The destructor runs what was posted before, then joins.
class TaskThread final : public Scheduler {
 public:
  // `name` is what the operating system shows, at most 15 characters.
  TaskThread(std::string name, const Clock& clock);
  ~TaskThread() override;
  TaskThread(const TaskThread&) = delete;
  TaskThread& operator=(const TaskThread&) = delete;

  void Post(Task task) override;
  void PostAfter(Millis delay, Task task) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A completion: a function together with the executor it is to run on. Called exactly once.
// Lifetime: `executor` outlives the callback.
template <class T>
class Callback {
 public:
  Callback(Executor& executor, std::move_only_function<void(T)> function)
      : executor_(&executor), function_(std::move(function)) {}

  void operator()(T value) && {
    executor_->Post([function = std::move(function_), value = std::move(value)]() mutable {
      function(std::move(value));
    });
  }
  Executor& executor() const { return *executor_; }

 private:
  Executor* executor_;
  std::move_only_function<void(T)> function_;
};

}  // namespace p402
