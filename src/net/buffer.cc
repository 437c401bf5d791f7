#include "net/buffer.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace p402::net {
namespace {

constexpr size_t kFirstBlock = 4096;

}  // namespace

std::span<char> Buffer::Room(size_t least) {
  if (capacity_ - end_ >= least && capacity_ != 0) return {block_.get() + end_, capacity_ - end_};
  const size_t kept = size();
  if (capacity_ - kept >= least && begin_ != 0) {
    std::memmove(block_.get(), block_.get() + begin_, kept);
    explicit_bzero(block_.get() + kept, end_ - kept);
  } else {
    size_t capacity = std::max(kFirstBlock, capacity_);
    while (capacity - kept < least) capacity *= 2;
    auto block = std::make_unique_for_overwrite<char[]>(capacity);
    if (kept != 0) std::memcpy(block.get(), block_.get() + begin_, kept);
    Release();
    block_ = std::move(block);
    capacity_ = capacity;
  }
  begin_ = 0;
  end_ = kept;
  return {block_.get() + end_, capacity_ - end_};
}

void Buffer::Append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(Room(bytes.size()).data(), bytes.data(), bytes.size());
  end_ += bytes.size();
}

void Buffer::Consume(size_t count) {
  P402_CHECK(count <= size());
  if (count == 0) return;
  explicit_bzero(data(), count);
  begin_ += count;
  if (begin_ == end_) begin_ = end_ = 0;
}

void Buffer::Erase(size_t offset, size_t count) {
  P402_CHECK(offset <= size() && count <= size() - offset);
  if (count == 0) return;
  char* const hole = data() + offset;
  std::memmove(hole, hole + count, size() - offset - count);
  end_ -= count;
  explicit_bzero(block_.get() + end_, count);
}

void Buffer::Release() {
  if (!empty()) explicit_bzero(data(), size());
  block_.reset();
  capacity_ = begin_ = end_ = 0;
}

}  // namespace p402::net
