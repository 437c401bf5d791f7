#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

// Counts what each thread of a test program allocates. Included by one file of the program, because
// it replaces operator new, or with a sanitizer is told by its.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define P402_ALLOCATIONS_ARE_THE_SANITIZERS 1
#endif
#endif

namespace p402::testing {

inline thread_local size_t allocations_of_this_thread = 0;

}  // namespace p402::testing

// NOLINTBEGIN(misc-definitions-in-headers)
#ifdef P402_ALLOCATIONS_ARE_THE_SANITIZERS
extern "C" void __sanitizer_malloc_hook(const volatile void*, size_t) {
  ++p402::testing::allocations_of_this_thread;
}
#else
namespace p402::testing {

inline void* CountedBlock(size_t bytes, size_t alignment) {
  ++allocations_of_this_thread;
  bytes = bytes == 0 ? 1 : bytes;
  void* const block =
      alignment == 0
          ? std::malloc(bytes)
          : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (block == nullptr) std::abort();
  return block;
}

}  // namespace p402::testing

void* operator new(size_t bytes) {
  return p402::testing::CountedBlock(bytes, 0);
}
void* operator new(size_t bytes, std::align_val_t alignment) {
  return p402::testing::CountedBlock(bytes, static_cast<size_t>(alignment));
}
void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, size_t) noexcept {
  std::free(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
  std::free(block);
}
void operator delete(void* block, size_t, std::align_val_t) noexcept {
  std::free(block);
}
#endif
// NOLINTEND(misc-definitions-in-headers)
