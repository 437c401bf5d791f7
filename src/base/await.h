#pragma once

#include <future>
#include <utility>

#include "base/executor.h"

namespace p402 {

// Calls `start` with a Callback<T> and waits for its value: for the threads that may wait, which
// start, stop and call from outside.
// Requires: another thread than the executor's.
template <class T, class Start>
T Await(Executor& executor, Start start) {
  std::promise<T> promise;
  auto future = promise.get_future();
  start(Callback<T>(executor, [&promise](T value) { promise.set_value(std::move(value)); }));
  return future.get();
}

}  // namespace p402
