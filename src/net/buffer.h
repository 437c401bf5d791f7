#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace p402::net {

// Bytes that come in at the end and leave at the front. It may hold credentials: whatever leaves
// it, and every block it gives up, is overwritten.
class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { Release(); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  // Lifetime of data, view and Room: until the next Room, Append or Release.
  char* data() { return block_.get() + begin_; }
  std::string_view view() const { return {block_.get() + begin_, end_ - begin_}; }
  size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  size_t capacity() const { return capacity_; }

  // The free bytes after the end, at least `least`; makes room if there are fewer.
  std::span<char> Room(size_t least);
  // Takes the first `count` bytes of the Room as written.
  void Commit(size_t count) { end_ += count; }
  void Append(std::string_view bytes);
  // Drops `count` bytes at the front.
  void Consume(size_t count);
  // Drops `count` bytes at `offset`; what follows moves up.
  void Erase(size_t offset, size_t count);
  // Drops everything and the block.
  void Release();

 private:
  std::unique_ptr<char[]> block_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace p402::net
