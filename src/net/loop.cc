#include "net/loop.h"

#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace p402::net {
namespace {

namespace asio = boost::asio;
using AsioExecutor = asio::io_context::executor_type;  // concrete: no type erasure per operation
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>, AsioExecutor>;
using Descriptor = asio::posix::basic_stream_descriptor<AsioExecutor>;

}  // namespace

struct Loop::Impl {
  // Descriptors are used by this loop's thread alone; only the queue of tasks is shared.
  asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  std::optional<Timer> timer;
  Millis tick{0};
  std::function<void()> on_tick;
  std::atomic<std::thread::id> thread;
  std::mutex mutex;
  bool has_ended = false;  // guarded by mutex
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::Run(Millis tick, std::function<void()> on_tick) {
  impl_->thread = std::this_thread::get_id();
  impl_->tick = tick;
  impl_->on_tick = std::move(on_tick);
  impl_->timer.emplace(impl_->context);
  Arm();  // its wait is the work that keeps run() from returning
  impl_->context.run();
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->has_ended = true;
  }
  // What was posted between the end of run() and has_ended.
  impl_->context.restart();
  impl_->context.run();
  impl_->thread = std::thread::id();
}

void Loop::Arm() {
  impl_->timer->expires_after(impl_->tick);
  impl_->timer->async_wait([this](const boost::system::error_code& error) {
    if (error || !impl_->timer) return;
    impl_->on_tick();
    if (impl_->timer) Arm();
  });
}

void Loop::Stop() {
  impl_->timer.reset();
}

void Loop::Post(Task task) {
  if (IsCurrent()) {
    asio::post(impl_->context, std::move(task));
    return;
  }
  const std::unique_lock lock(impl_->mutex);
  // A dropped task is destroyed after the lock is released: `task` is the caller's argument.
  if (!impl_->has_ended) asio::post(impl_->context, std::move(task));
}

bool Loop::IsCurrent() const {
  return impl_->thread.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

struct Watch::Impl {
  explicit Impl(Loop& loop) : descriptor(loop.impl_->context) {}
  Descriptor descriptor;
  bool awaits_readable = false;
  bool awaits_writable = false;
};

Watch::Watch(Loop& loop, UniqueFd fd) : impl_(std::make_unique<Impl>(loop)) {
  boost::system::error_code error;
  impl_->descriptor.assign(fd.get(), error);
  if (!error) fd.Release();
}
Watch::~Watch() {
  Close();
}

void Watch::AwaitReadable(std::shared_ptr<Watcher> watcher) {
  if (std::exchange(impl_->awaits_readable, true)) return;
  impl_->descriptor.async_wait(Descriptor::wait_read,
                               [this, watcher = std::move(watcher)](const auto& error) {
                                 if (error || !is_open()) return;
                                 impl_->awaits_readable = false;
                                 watcher->OnReadable();
                               });
}

void Watch::AwaitWritable(std::shared_ptr<Watcher> watcher) {
  if (std::exchange(impl_->awaits_writable, true)) return;
  impl_->descriptor.async_wait(Descriptor::wait_write,
                               [this, watcher = std::move(watcher)](const auto& error) {
                                 if (error || !is_open()) return;
                                 impl_->awaits_writable = false;
                                 watcher->OnWritable();
                               });
}

int Watch::fd() const {
  return impl_->descriptor.native_handle();
}
bool Watch::is_open() const {
  return impl_->descriptor.is_open();
}

void Watch::Close() {
  boost::system::error_code ignored;
  impl_->descriptor.close(ignored);
}

}  // namespace p402::net
