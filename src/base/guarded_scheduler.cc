#include "base/guarded_scheduler.h"

#include <mutex>

namespace p402 {

// The mutex is held while a task runs, never while one is posted: tasks may post.
struct GuardedScheduler::Guard {
  std::mutex running;
  bool is_closed = false;  // under `running`
};

GuardedScheduler::GuardedScheduler(std::string name, const Clock& clock)
    : guard_(std::make_shared<Guard>()), thread_(std::move(name), clock) {}

GuardedScheduler::~GuardedScheduler() = default;

Task GuardedScheduler::Guarded(Task task) {
  return [guard = guard_, task = std::move(task)]() mutable {
    const std::lock_guard lock(guard->running);
    if (!guard->is_closed) task();
  };
}

void GuardedScheduler::Post(Task task) {
  thread_.Post(Guarded(std::move(task)));
}

void GuardedScheduler::PostAfter(Millis delay, Task task) {
  thread_.PostAfter(delay, Guarded(std::move(task)));
}

void GuardedScheduler::Close() {
  const std::lock_guard lock(guard_->running);
  guard_->is_closed = true;
}

}  // namespace p402
