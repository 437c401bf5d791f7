#include "index/populator.h"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "index/pages.h"

namespace p402::index {

void Populator::Touch(std::byte* begin, size_t bytes, std::shared_ptr<const void> owner) {
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  std::lock_guard lock(mutex_);
  ranges_.push_back({.begin = begin, .bytes = bytes, .owner = std::move(owner)});
  has_changed_.notify_one();
}

void Populator::Stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
    has_changed_.notify_one();
  }
  thread_.join();
  ranges_.clear();
  is_stopping_ = false;
}

void Populator::Run() {
  pthread_setname_np(pthread_self(), "p402-memory");
  for (;;) {
    Range piece{};
    {
      std::unique_lock lock(mutex_);
      has_changed_.wait(lock, [this] { return is_stopping_ || !ranges_.empty(); });
      if (is_stopping_) return;
      Range& next = ranges_.back();
      piece = next;
      piece.bytes = std::min(next.bytes, kHugePageBytes);
      next.begin += piece.bytes;
      next.bytes -= piece.bytes;
      if (next.bytes == 0) ranges_.pop_back();
    }
    // Linux has it since 5.14. What it cannot do is done by whoever touches the memory.
    madvise(piece.begin, piece.bytes, MADV_POPULATE_WRITE);
  }
}

}  // namespace p402::index
