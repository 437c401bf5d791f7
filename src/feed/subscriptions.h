#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>

#include "feed/feed.h"

namespace p402::feed {

// Who must obey each change, and who has not yet.
// Threads: one at a time (the feed's lock).
class Subscriptions {
 public:
  // Reports that one subscriber has obeyed one change.
  using Acknowledge = std::move_only_function<void()>;
  using MakeAcknowledge = std::function<Acknowledge(uint64_t subscription, int64_t seq)>;

  void Add(Subscriber& subscriber);
  // What it has not acknowledged is no longer waited for: nothing of it acts any more.
  void Remove(Subscriber& subscriber);
  // A subscriber may remove itself or another during the call.
  void Deliver(const store::Change& change, const key::Record* record,
               const MakeAcknowledge& acknowledge);
  void Acknowledged(uint64_t subscription, int64_t seq);
  // The largest sequence up to `applied` that everybody has obeyed, with all before it.
  int64_t ObeyedThrough(int64_t applied) const;

 private:
  struct Subscription {
    Subscriber* subscriber;
    std::set<int64_t> waiting;
  };
  uint64_t next_ = 1;
  std::map<uint64_t, Subscription> subscriptions_;
};

}  // namespace p402::feed
