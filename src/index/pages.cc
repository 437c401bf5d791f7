#include "index/pages.h"

#include <sys/mman.h>

#include <cstdint>
#include <utility>

#include "base/check.h"

namespace p402::index {

// The system aligns to its own page: what lies before and after the aligned part is given back.
Pages::Pages(size_t bytes, bool wants_huge) : size_(bytes) {
  const size_t mapped = bytes + kHugePageBytes;
  void* raw = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  P402_CHECK(raw != MAP_FAILED);
  auto* begin = static_cast<std::byte*>(raw);
  const auto over = reinterpret_cast<uintptr_t>(begin) % kHugePageBytes;
  data_ = over == 0 ? begin : begin + (kHugePageBytes - over);
  if (data_ > begin) munmap(begin, static_cast<size_t>(data_ - begin));
  constexpr size_t kSmallPageBytes = 4096;
  std::byte* end = data_ + (bytes + kSmallPageBytes - 1) / kSmallPageBytes * kSmallPageBytes;
  if (end < begin + mapped) munmap(end, static_cast<size_t>(begin + mapped - end));
  if (wants_huge) madvise(data_, size_, MADV_HUGEPAGE);
}

Pages::~Pages() {
  if (data_ != nullptr) munmap(data_, size_);
}

Pages::Pages(Pages&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Pages& Pages::operator=(Pages&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace p402::index
