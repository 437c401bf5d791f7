#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/file.h"

namespace p402::net {

class Watch;
class Watcher;

// The events of one I/O thread: what is posted to it, readiness of descriptors, and a tick.
class Loop final : public Executor {
 public:
  struct Callbacks {
    std::function<void()> on_tick;  // every `tick`
    // In each turn, when everything that was ready has been reported. What was closed is still there.
    std::function<void()> on_reported = [] {};
    // After each turn, in which everything that was ready when it began has been done.
    std::function<void(BootTime began, BootTime ended)> on_turn_end = [](BootTime, BootTime) {};
  };

  explicit Loop(const Clock& clock);
  ~Loop() override = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // False: the process is out of descriptors, and the loop is of no use.
  bool is_open() const { return epoll_.is_open() && wake_.is_open(); }
  // Runs on the calling thread until Stop, and then until nothing is left to do.
  void Run(Millis tick, const Callbacks& callbacks);
  // When the present turn began.
  // Threads: that of Run.
  BootTime now() const { return now_; }
  // Ends the tick, so that Run returns once the last Watch is closed and the last task has run.
  // Threads: that of Run.
  void Stop() { is_stopped_ = true; }
  // Threads: any; takes no lock on the one that is in Run. After the end of Run, tasks are
  // destroyed without having run.
  void Post(Task task) override;
  // True on the thread that is in Run.
  bool IsCurrent() const {
    return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

 private:
  friend class Watch;

  void Wait(Millis at_most);
  void Take(std::span<const epoll_event> events);
  void DeliverAgain();
  bool RunTasks();
  void TakeInbox();
  void DropClosed();
  void End();

  const Clock& clock_;
  UniqueFd epoll_;
  UniqueFd wake_;  // an eventfd: tasks have come into the empty inbox
  std::atomic<std::thread::id> thread_;
  BootTime now_;
  bool is_stopped_ = false;
  size_t open_watches_ = 0;
  std::vector<Task> tasks_;                       // posted by this thread, or taken from the inbox
  std::vector<Watch*> again_;                     // await what the kernel has reported before
  std::vector<std::shared_ptr<Watcher>> closed_;  // kept until nothing of this turn names them
  // Emptied, to use their memory again.
  std::vector<Task> spare_tasks_;
  std::vector<Watch*> spare_again_;

  std::mutex mutex_;
  std::vector<Task> inbox_;  // guarded by mutex_: posted by other threads
  bool has_ended_ = false;   // guarded by mutex_
};

// What a Watch reports to.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void OnReadable() = 0;
  virtual void OnWritable() = 0;
};

// An owned descriptor of a stream or of a listening socket, and the wait for its readiness.
//
// The kernel is told once what to watch for and then reports only changes ("edges"), so that a wait
// costs no system call. What follows from that: what it has reported is remembered here until a
// read has found the end of it, and whoever reads says so (MarkDrained). One that forgets to is
// called again and again; nothing is ever missed.
//
// Threads:  that of the loop only, but for the constructor, and the destructor of a closed one.
// Lifetime: a part of the watcher that is given to it.
class Watch {
 public:
  // Not open afterwards if the kernel watches no more descriptors.
  Watch(Loop& loop, UniqueFd fd);
  ~Watch() { Close(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Names whom to call, before the first wait. It is kept alive until Close.
  void Attach(std::shared_ptr<Watcher> watcher) { watcher_ = std::move(watcher); }
  // Calls the watcher once when there may be something to read (now, or later), never before it
  // returns. A second wait while one is under way is ignored.
  void AwaitReadable();
  // The same for writing.
  // Requires: a write would have blocked.
  void AwaitWritable();
  // Ends a wait for room: the watcher has nothing to write any more.
  void ForgetWritable() { awaits_writable_ = false; }
  // A read, or an accept, has just found no more: it would have blocked, or it has filled only a
  // part of its room.
  void MarkDrained() { is_readable_ = has_ended_; }
  int fd() const { return fd_.get(); }
  bool is_open() const { return fd_.is_open(); }
  // Closes the descriptor. Waits under way end without a call.
  void Close();

 private:
  friend class Loop;
  void Take(uint32_t events);
  void DeliverReadable();

  Loop& loop_;
  UniqueFd fd_;
  std::shared_ptr<Watcher> watcher_;
  bool is_readable_ = false;  // reported, and no read has found the end of it
  bool has_ended_ = false;    // the other end sends no more: reads do not block from now on
  bool awaits_readable_ = false;
  bool awaits_writable_ = false;
  bool reports_writable_ = false;  // the kernel has been asked to
  bool is_queued_ = false;         // in Loop::again_
};

}  // namespace p402::net
