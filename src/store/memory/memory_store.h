#pragma once

#include <memory>

#include "base/clock.h"
#include "base/random.h"
#include "store/store.h"

namespace p402::store::memory {

// A store that forgets everything at the end: for tests and simulations. It passes the same
// conformance suite. Completions are posted to the callbacks' executors from within the call; it
// has no thread of its own.
std::unique_ptr<Store> Create(const Clock& clock, Random& random);

}  // namespace p402::store::memory
