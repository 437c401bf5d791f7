#include "lib/watch.h"

#include <utility>

namespace p402::lib {

Watch::Watch(Tell tell, const Clock& clock)
    : tell_(std::move(tell)), thread_("p402-watch", clock) {}

void Watch::OnChange(const store::Change& change, const key::Record* record,
                     std::move_only_function<void()> applied) {
  const bool is_revoked = change.kind == store::ChangeKind::kRevoke;
  if (record == nullptr || (!is_revoked && change.kind != store::ChangeKind::kRestrict)) {
    return applied();
  }
  const Event event{
      .is_revoked = is_revoked, .seq = change.seq, .key = record->id, .account = record->account};
  thread_.Post([this, event, applied = std::move(applied)]() mutable {
    telling_.store(std::this_thread::get_id());
    tell_(event);
    telling_.store({});
    applied();
  });
}

bool Watch::is_telling_here() const {
  return telling_.load() == std::this_thread::get_id();
}

}  // namespace p402::lib
