#include "index/index.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "index/marks.h"
#include "key/digest.h"
#include "key/raw_key.h"

namespace p402::index {
namespace {

constexpr size_t kStripes = 64;

// Both keys end in random bits; the last byte chooses the stripe, eight others the slot.
uint64_t SlotBits(const uint8_t* bytes) {
  uint64_t bits = 0;
  std::memcpy(&bits, bytes, sizeof bits);
  return bits;
}
struct DigestHash {
  using is_avalanching = void;  // SHA-256
  size_t operator()(const key::Digest& digest) const { return SlotBits(digest.data()); }
};
struct IdHash {
  size_t operator()(const key::KeyId& id) const {
    return SlotBits(id.uuid.data()) ^ SlotBits(id.uuid.data() + 8);
  }
};

struct Entry {
  std::shared_ptr<const key::Record> record;  // null by id: forgotten, but a mark waits
  std::shared_ptr<Usage> usage;
};

template <class Key, class Hash>
struct alignas(64) Stripe {
  mutable std::shared_mutex mutex;
  boost::unordered_flat_map<Key, Entry, Hash> entries;

  Entry Find(const Key& key) const {
    std::shared_lock lock(mutex);
    auto it = entries.find(key);
    return it == entries.end() ? Entry{} : it->second;
  }
};
using DigestStripe = Stripe<key::Digest, DigestHash>;
using IdStripe = Stripe<key::KeyId, IdHash>;

// What is known after `next` was put over `known`: the newer of the two, revoked if either is.
// Null: nothing changes.
std::shared_ptr<const key::Record> Fold(const key::Record* known, key::Record next) {
  next.last_used_at.reset();  // Usage has it
  if (known == nullptr) return std::make_shared<const key::Record>(std::move(next));
  const bool is_newer = next.version > known->version;
  const bool revokes = next.revoked_at && !known->revoked_at;
  if (!is_newer && !revokes) return nullptr;
  const key::Record& revoked = known->revoked_at ? *known : next;
  auto folded = std::make_shared<key::Record>(is_newer ? next : *known);
  if (!folded->revoked_at && revoked.revoked_at) {
    folded->revoked_at = revoked.revoked_at;
    folded->revoke_reason = revoked.revoke_reason;
  }
  return folded;
}

}  // namespace

// Lock order: an id stripe, then a digest stripe. Verify takes a digest stripe only.
struct Index::Impl {
  explicit Impl(std::string a_brand) : brand(std::move(a_brand)) {}

  DigestStripe& StripeOf(const key::Digest& digest) { return by_digest[digest.back() % kStripes]; }
  IdStripe& StripeOf(const key::KeyId& id) { return by_id[id.uuid.back() % kStripes]; }

  void Store(const Entry& entry);
  void Erase(const key::Record& record);
  std::shared_ptr<Usage> UsageOf(const key::KeyId& id);
  Answer Decide(const key::Digest& digest, const key::Question& question, WallTime now,
                bool marks_use);

  const std::string brand;
  std::array<DigestStripe, kStripes> by_digest;
  std::array<IdStripe, kStripes> by_id;
  std::atomic<size_t> size{0};
  Marks marks;
};

void Index::Impl::Store(const Entry& entry) {
  DigestStripe& stripe = StripeOf(entry.record->digest);
  std::lock_guard lock(stripe.mutex);
  stripe.entries.insert_or_assign(entry.record->digest, entry);
}

void Index::Impl::Erase(const key::Record& record) {
  DigestStripe& stripe = StripeOf(record.digest);
  std::lock_guard lock(stripe.mutex);
  stripe.entries.erase(record.digest);
}

// Makes room for the mark of a key that is not known (any more).
std::shared_ptr<Usage> Index::Impl::UsageOf(const key::KeyId& id) {
  IdStripe& stripe = StripeOf(id);
  std::lock_guard lock(stripe.mutex);
  Entry& entry = stripe.entries[id];
  if (!entry.usage) entry.usage = std::make_shared<Usage>(id);
  return entry.usage;
}

Answer Index::Impl::Decide(const key::Digest& digest, const key::Question& question, WallTime now,
                           bool marks_use) {
  Entry entry = StripeOf(digest).Find(digest);
  if (!entry.record) return {};
  const key::Decision decision = key::Decide(*entry.record, question, now);
  if (decision == key::Decision::kNotFound) return {};
  if (decision == key::Decision::kValid && marks_use) marks.Use(entry.usage, now);
  return {.decision = decision, .record = std::move(entry.record)};
}

Index::Index(std::string brand) : impl_(std::make_unique<Impl>(std::move(brand))) {}
Index::~Index() = default;

void Index::Put(key::Record record) {
  const key::KeyId id = record.id;
  const auto last_used = record.last_used_at;
  IdStripe& stripe = impl_->StripeOf(id);
  std::lock_guard lock(stripe.mutex);
  Entry& entry = stripe.entries[id];
  if (!entry.usage) entry.usage = std::make_shared<Usage>(id);
  if (last_used) entry.usage->Raise(last_used->time_since_epoch().count());
  auto known = entry.record;
  auto folded = Fold(known.get(), std::move(record));
  if (!folded) return;
  if (!known) impl_->size.fetch_add(1, std::memory_order_relaxed);
  if (known && known->digest != folded->digest) impl_->Erase(*known);
  entry.record = std::move(folded);
  impl_->Store(entry);
}

void Index::Clear() {
  for (auto& stripe : impl_->by_digest) {
    std::lock_guard lock(stripe.mutex);
    stripe.entries.clear();
  }
  for (auto& stripe : impl_->by_id) {
    std::lock_guard lock(stripe.mutex);
    boost::unordered::erase_if(stripe.entries,
                               [](auto& item) { return !item.second.usage->is_waiting.load(); });
    for (auto& item : stripe.entries) item.second.record.reset();
  }
  impl_->size.store(0, std::memory_order_relaxed);
}

Answer Index::Verify(std::string_view presented, const key::Question& question, WallTime now) {
  if (!key::ParseRawKey(presented, impl_->brand)) return {.decision = key::Decision::kMalformed};
  return impl_->Decide(key::DigestOf(presented), question, now, /*marks_use=*/true);
}

Answer Index::Recheck(const key::Digest& digest, const key::Question& question,
                      WallTime now) const {
  return impl_->Decide(digest, question, now, /*marks_use=*/false);
}

std::shared_ptr<const key::Record> Index::Find(const key::KeyId& id) const {
  return impl_->StripeOf(id).Find(id).record;
}

size_t Index::size() const {
  return impl_->size.load(std::memory_order_relaxed);
}

std::optional<WallTime> Index::LastUsed(const key::KeyId& id) const {
  const Entry entry = impl_->StripeOf(id).Find(id);
  if (!entry.usage) return std::nullopt;
  const int64_t at_ms = entry.usage->last_used_ms.load();
  if (at_ms == Usage::kNever) return std::nullopt;
  return WallTime(Millis(at_ms));
}

std::vector<Mark> Index::TakeMarks(size_t limit) {
  return impl_->marks.Take(limit);
}

void Index::ReturnMarks(std::vector<Mark> marks) {
  for (const auto& mark : marks) impl_->marks.Return(impl_->UsageOf(mark.key), mark.at);
}

size_t Index::waiting_marks() const {
  return impl_->marks.waiting();
}

std::optional<WallTime> Index::OldestWaitingMark() const {
  return impl_->marks.Oldest();
}

std::vector<key::Record> Index::Dump() const {
  std::vector<key::Record> records;
  for (const auto& stripe : impl_->by_id) {
    std::shared_lock lock(stripe.mutex);
    for (const auto& item : stripe.entries) {
      if (item.second.record) records.push_back(*item.second.record);
    }
  }
  std::ranges::sort(records, {}, &key::Record::id);
  return records;
}

}  // namespace p402::index
