#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace p402::index {

// Has memory ready when the writer comes to it. The system provides memory when it is first
// touched, which costs as much as everything else that is done to fill it, and in a virtual machine
// more. Here a thread touches it ahead, while the writer fills what is before.
//
// It is no more than a hint: what has not been touched is provided to whoever touches it.
// Threads: one at a time; the work is done on a thread of its own, `p402-memory`, which begins with
// the first call.
class Populator {
 public:
  Populator() = default;
  ~Populator() { Stop(); }
  Populator(const Populator&) = delete;
  Populator& operator=(const Populator&) = delete;

  // Touches the pages of `bytes` from `begin`, before what was given earlier: it is needed sooner.
  // Lifetime: `owner` is kept until it is done; without one, the pages must stay until Stop().
  void Touch(std::byte* begin, size_t bytes, std::shared_ptr<const void> owner = nullptr);
  // Nothing is touched any more when it returns, until the next Touch.
  void Stop();

 private:
  struct Range {
    std::byte* begin;
    size_t bytes;
    std::shared_ptr<const void> owner;
  };

  void Run();

  std::mutex mutex_;  // nothing is called while it is held
  std::condition_variable has_changed_;
  std::vector<Range> ranges_;  // the next one is the last
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace p402::index
