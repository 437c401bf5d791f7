#pragma once

// Sanitizers have memory and descriptors of their own, which no test can count: tests that do are
// left out of such builds.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define P402_IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define P402_IS_SANITIZED 1
#endif
#endif
