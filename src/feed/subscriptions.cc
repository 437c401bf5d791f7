#include "feed/subscriptions.h"

#include <algorithm>
#include <vector>

namespace p402::feed {

void Subscriptions::Add(Subscriber& subscriber) {
  subscriptions_.emplace(next_++, Subscription{.subscriber = &subscriber, .waiting = {}});
}

void Subscriptions::Remove(Subscriber& subscriber) {
  std::erase_if(subscriptions_, [&](auto& item) { return item.second.subscriber == &subscriber; });
}

void Subscriptions::Deliver(const store::Change& change, const key::Record* record,
                            const MakeAcknowledge& acknowledge) {
  std::vector<uint64_t> present;
  for (auto& [id, subscription] : subscriptions_) {
    subscription.waiting.insert(change.seq);
    present.push_back(id);
  }
  for (const uint64_t id : present) {
    auto it = subscriptions_.find(id);
    if (it == subscriptions_.end()) continue;
    it->second.subscriber->OnChange(change, record, acknowledge(id, change.seq));
  }
}

void Subscriptions::Acknowledged(uint64_t subscription, int64_t seq) {
  auto it = subscriptions_.find(subscription);
  if (it != subscriptions_.end()) it->second.waiting.erase(seq);
}

int64_t Subscriptions::ObeyedThrough(int64_t applied) const {
  int64_t through = applied;
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription.waiting.empty()) continue;
    through = std::min(through, *subscription.waiting.begin() - 1);
  }
  return through;
}

}  // namespace p402::feed
