#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/executor.h"
#include "base/file.h"

namespace p402::net {

// The events of one I/O thread: what is posted to it, readiness of descriptors, and a tick.
class Loop final : public Executor {
 public:
  Loop();
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs on the calling thread until Stop, and then until nothing is left to do; calls `on_tick`
  // every `tick`.
  void Run(Millis tick, std::function<void()> on_tick);
  // Ends the tick, so that Run returns once the last Watch is closed and the last task has run.
  // Threads: that of Run.
  void Stop();
  // Threads: any. After the end of Run, tasks are destroyed without having run.
  void Post(Task task) override;
  // True on the thread that is in Run.
  bool IsCurrent() const;

 private:
  friend class Watch;
  struct Impl;
  void Arm();
  std::unique_ptr<Impl> impl_;
};

// What a Watch reports to.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void OnReadable() = 0;
  virtual void OnWritable() = 0;
};

// An owned descriptor and the wait for its readiness.
// Threads:  that of the loop only, but for the destructor of a closed one.
// Lifetime: a part of the watcher that is given to it.
class Watch {
 public:
  // Not open afterwards if the kernel watches no more descriptors.
  Watch(Loop& loop, UniqueFd fd);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Calls the watcher once when the descriptor is ready (now, or later), never before it returns. A
  // second wait of one kind while one is under way is ignored. The watcher is kept alive meanwhile.
  void AwaitReadable(std::shared_ptr<Watcher> watcher);
  void AwaitWritable(std::shared_ptr<Watcher> watcher);
  int fd() const;
  bool is_open() const;
  // Closes the descriptor. Waits under way end without a call.
  void Close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace p402::net
