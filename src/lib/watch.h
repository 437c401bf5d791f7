#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>

#include "base/clock.h"
#include "base/executor.h"
#include "feed/feed.h"

namespace p402::lib {

// Something that ends or narrows what a key may do.
struct Event {
  bool is_revoked = false;  // false: restricted
  int64_t seq = 0;
  key::KeyId key;
  key::AccountId account;
};

// Tells one function of every revocation and restriction: a change is obeyed when it has returned.
// It has a thread of its own, because the function is the host's and the feed goes on meanwhile.
//
// Threads:  `tell` is called on that thread, one event at a time, in the order of the log.
// Lifetime: the feed that it is subscribed to has stopped before it is destroyed, which tells what
//           is still waiting.
class Watch final : public feed::Subscriber {
 public:
  using Tell = std::function<void(const Event&)>;
  Watch(Tell tell, const Clock& clock);

  void OnChange(const store::Change& change, const key::Record* record,
                std::move_only_function<void()> applied) override;
  // True on the thread that is calling `tell` now.
  bool is_telling_here() const;

 private:
  const Tell tell_;
  std::atomic<std::thread::id> telling_{};
  TaskThread thread_;
};

}  // namespace p402::lib
