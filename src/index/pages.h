#pragma once

#include <cstddef>

namespace p402::index {

inline constexpr size_t kHugePageBytes = size_t{2} << 20;

// Memory from the system: zeroed, aligned to kHugePageBytes, given back on destruction. What is not
// touched costs nothing.
class Pages {
 public:
  Pages() = default;
  // Aborts if the system has no memory left. `wants_huge`: a hint, for what is read at random.
  Pages(size_t bytes, bool wants_huge);
  ~Pages();
  Pages(Pages&& other) noexcept;
  Pages& operator=(Pages&& other) noexcept;
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace p402::index
