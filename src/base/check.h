#pragma once

namespace p402 {

// Prints the failed condition with its place to standard error and aborts.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace p402

// Ends the process if `condition` is false: for states that only a defect of ours can cause, never
// for input.
#define P402_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::p402::CheckFailed(#condition, __FILE__, __LINE__))
