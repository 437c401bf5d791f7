#include "base/executor.h"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

namespace p402 {

struct TaskThread::Impl {
  Impl(std::string thread_name, const Clock& a_clock)
      : name(std::move(thread_name)), clock(a_clock) {}

  // The next task that is due, or an empty one when the thread is to end.
  Task Next() {
    std::unique_lock lock(mutex);
    for (;;) {
      const BootTime now = clock.Boot();
      while (!later.empty() && later.begin()->first <= now) {
        ready.push_back(std::move(later.begin()->second));
        later.erase(later.begin());
      }
      if (!ready.empty()) {
        Task task = std::move(ready.front());
        ready.pop_front();
        return task;
      }
      if (stopping) return {};
      if (later.empty()) {
        wake.wait(lock);
      } else {
        wake.wait_for(lock, later.begin()->first - now);
      }
    }
  }

  void Run() {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    while (Task task = Next()) task();
  }

  const std::string name;
  const Clock& clock;
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Task> ready;
  std::multimap<BootTime, Task> later;
  bool stopping = false;
  std::thread thread;
};

TaskThread::TaskThread(std::string name, const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(name), clock)) {
  impl_->thread = std::thread([impl = impl_.get()] { impl->Run(); });
}

TaskThread::~TaskThread() {
  // Destroyed outside of the lock: what a task holds may post when it is destroyed.
  std::multimap<BootTime, Task> dropped;
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    dropped.swap(impl_->later);
  }
  dropped.clear();
  impl_->wake.notify_one();
  impl_->thread.join();
}

void TaskThread::Post(Task task) {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->ready.push_back(std::move(task));
  }
  impl_->wake.notify_one();
}

void TaskThread::PostAfter(Millis delay, Task task) {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->later.emplace(impl_->clock.Boot() + delay, std::move(task));
  }
  impl_->wake.notify_one();
}

}  // namespace p402
