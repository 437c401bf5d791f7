#include "net/loop.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace p402::net {
namespace {

constexpr size_t kEventsPerTurn = 128;
constexpr uint32_t kInput = EPOLLIN | EPOLLRDHUP | EPOLLET;

bool Control(int epoll, int operation, int fd, uint32_t events, void* data) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = data;
  return epoll_ctl(epoll, operation, fd, &event) == 0;
}

}  // namespace

Loop::Loop(const Clock& clock)
    : clock_(clock),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      now_(clock.Boot()) {
  // Each write to the eventfd is an edge of its own, so it is never read.
  if (is_open() && !Control(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), EPOLLIN | EPOLLET, nullptr)) {
    epoll_ = UniqueFd();
  }
}

// One turn: what the kernel reports, what was reported before and is awaited again, what was
// posted. Whatever any of these makes new waits for the next turn, so that none starves.
void Loop::Run(Millis tick, const Callbacks& callbacks) {
  P402_CHECK(is_open());
  thread_ = std::this_thread::get_id();
  BootTime ended = clock_.Boot();
  BootTime next_tick = ended + tick;
  while (!is_stopped_ || open_watches_ != 0 || !tasks_.empty()) {
    Wait(std::chrono::ceil<Millis>(next_tick - ended));
    DeliverAgain();
    RunTasks();
    callbacks.on_reported();
    DropClosed();
    ended = clock_.Boot();
    callbacks.on_turn_end(now_, ended);
    if (ended < next_tick || is_stopped_) continue;
    next_tick = ended + tick;
    callbacks.on_tick();
  }
  End();
}

void Loop::Wait(Millis at_most) {
  std::array<epoll_event, kEventsPerTurn> events;
  int timeout_ms = 0;
  if (again_.empty() && tasks_.empty()) {
    timeout_ms = is_stopped_ ? -1 : static_cast<int>(at_most.count());
  }
  const int count = epoll_wait(epoll_.get(), events.data(), kEventsPerTurn, timeout_ms);
  now_ = clock_.Boot();
  if (count > 0) Take(std::span(events).first(static_cast<size_t>(count)));
}

// A Watch that an earlier event of this span has closed is still there, because closed_ keeps its
// watcher; one that was made by an earlier event has no event in it.
void Loop::Take(std::span<const epoll_event> events) {
  for (const epoll_event& event : events) {
    if (event.data.ptr == nullptr) {
      TakeInbox();
    } else {
      static_cast<Watch*>(event.data.ptr)->Take(event.events);
    }
  }
}

void Loop::DeliverAgain() {
  std::swap(again_, spare_again_);
  for (Watch* const watch : spare_again_) {
    watch->is_queued_ = false;
    watch->DeliverReadable();
  }
  spare_again_.clear();
}

// False: there were none.
bool Loop::RunTasks() {
  if (tasks_.empty()) return false;
  std::swap(tasks_, spare_tasks_);
  for (Task& task : spare_tasks_) std::exchange(task, nullptr)();
  spare_tasks_.clear();
  return true;
}

// The order that loses nothing: a poster adds to the inbox, then writes if the inbox was empty
// before. This comes after an edge, and takes everything.
//   - A task that came before the inbox was taken is taken, also if its write is still to come; the
//     edge of that write then finds the inbox empty, or takes what came later.
//   - A task that comes afterwards finds the inbox empty, so it writes: another edge.
//   - A task that finds the inbox not empty relies on the write of the first one in it, which comes
//     after that one was added and so brings an edge after which both are there.
void Loop::TakeInbox() {
  const std::lock_guard lock(mutex_);
  std::ranges::move(inbox_, std::back_inserter(tasks_));
  inbox_.clear();
}

void Loop::Post(Task task) {
  if (IsCurrent()) {
    tasks_.push_back(std::move(task));
    return;
  }
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    // A dropped task is destroyed after the lock is released: `task` is the caller's argument.
    if (has_ended_) return;
    was_empty = inbox_.empty();
    inbox_.push_back(std::move(task));
  }
  if (was_empty) eventfd_write(wake_.get(), 1);
}

void Loop::DropClosed() {
  if (closed_.empty()) return;
  std::erase_if(again_, [](const Watch* watch) { return !watch->is_open(); });
  // What is destroyed here may close others: they come into a new list.
  const auto dropped = std::exchange(closed_, {});
}

// Runs what was posted until has_ended_ is set; then no thread can add anything.
void Loop::End() {
  {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
  }
  TakeInbox();
  while (RunTasks()) {
  }
  DropClosed();
  thread_ = std::thread::id();
}

Watch::Watch(Loop& loop, UniqueFd fd) : loop_(loop), fd_(std::move(fd)) {
  if (Control(loop_.epoll_.get(), EPOLL_CTL_ADD, fd_.get(), kInput, this)) {
    ++loop_.open_watches_;
  } else {
    fd_ = UniqueFd();
  }
}

void Watch::AwaitReadable() {
  P402_CHECK(watcher_ != nullptr);
  awaits_readable_ = true;
  if (!is_readable_ || std::exchange(is_queued_, true)) return;
  loop_.again_.push_back(this);
}

// Only connections whose client is slow come here. The kernel is asked late, because a Unix socket
// has an edge for everything that its client reads.
void Watch::AwaitWritable() {
  P402_CHECK(watcher_ != nullptr);
  awaits_writable_ = true;
  // If there is room by now, this brings an edge at once; and so does each later change.
  if (std::exchange(reports_writable_, true)) return;
  P402_CHECK(Control(loop_.epoll_.get(), EPOLL_CTL_MOD, fd_.get(), kInput | EPOLLOUT, this));
}

void Watch::Take(uint32_t events) {
  if (!is_open()) return;
  // An error or the end is found by whoever reads or writes next.
  if ((events & (EPOLLRDHUP | EPOLLHUP)) != 0) has_ended_ = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) is_readable_ = true;
  DeliverReadable();
  const bool is_writable = (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
  if (is_open() && is_writable && std::exchange(awaits_writable_, false)) watcher_->OnWritable();
}

void Watch::DeliverReadable() {
  if (is_open() && is_readable_ && std::exchange(awaits_readable_, false)) watcher_->OnReadable();
}

void Watch::Close() {
  if (!is_open()) return;
  // By name, because a duplicate of the descriptor would keep it in the set.
  Control(loop_.epoll_.get(), EPOLL_CTL_DEL, fd_.get(), 0, nullptr);
  fd_ = UniqueFd();
  --loop_.open_watches_;
  if (watcher_ != nullptr) loop_.closed_.push_back(std::move(watcher_));
}

}  // namespace p402::net
