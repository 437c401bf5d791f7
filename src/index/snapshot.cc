#include "index/snapshot.h"

#include <cstring>
#include <utility>

#include "index/facts.h"
#include "key/scope.h"

namespace p402::index {
namespace {

constexpr uint8_t kIsTest = 1;
constexpr uint8_t kIsDisabled = 2;
// A block is closed at this size: it and the index's memory that it becomes fit the cache.
constexpr size_t kPayloadBytes = 256 * 1024;
// So few that they cannot exceed a block, even with 8 KiB of texts each.
constexpr uint32_t kCellsAtOnce = 64;
static_assert(kPayloadBytes + kCellsAtOnce * 8192 <= SnapshotBlockHead::kMaxPayload);

template <class T>
void Append(std::string& out, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Takes values from the front of a payload. After the first failure it gives zeros.
class Cursor {
 public:
  explicit Cursor(std::string_view rest) : rest_(rest) {}
  bool ok() const { return is_ok_; }
  bool at_end() const { return rest_.empty(); }

  std::string_view Take(size_t bytes) {
    if (!is_ok_ || rest_.size() < bytes) {
      is_ok_ = false;
      return {};
    }
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }
  template <class T>
  T Value() {
    T value{};
    const std::string_view taken = Take(sizeof value);
    if (!taken.empty()) std::memcpy(&value, taken.data(), sizeof value);
    return value;
  }
  std::span<const std::byte> Facts() {
    uint32_t size = 0;
    if (rest_.size() >= sizeof size) std::memcpy(&size, rest_.data(), sizeof size);
    const std::string_view taken = Take(size);
    return {reinterpret_cast<const std::byte*>(taken.data()), taken.size()};
  }

 private:
  std::string_view rest_;
  bool is_ok_ = true;
};

// Only what ScopeSet::ToString writes.
bool IsScopeSet(std::string_view text) {
  const auto scopes = key::ScopeSet::ParseText(text);
  return scopes && scopes->ToString() == text;
}

Failure Damaged() {
  return Fail(ErrorCode::kCorrupt, "the snapshot is damaged: a key that cannot be");
}

}  // namespace

size_t SnapshotEncoder::Hash::operator()(const key::AccountId& id) const {
  return std::hash<std::string_view>()(
      {reinterpret_cast<const char*>(id.uuid.data()), id.uuid.size()});
}

void SnapshotEncoder::Add(const View& key) {
  const auto [account, is_new_account] =
      accounts_.try_emplace(key.account(), static_cast<uint32_t>(accounts_.size()));
  const auto [scopes, is_new_set] =
      scope_sets_.try_emplace(std::string(key.scopes()), static_cast<uint32_t>(scope_sets_.size()));
  const int flags =
      (key.mode() == key::Mode::kTest ? kIsTest : 0) | (key.is_disabled() ? kIsDisabled : 0);
  Append(payload_, key.digest());
  Append(payload_, key.id().uuid);
  Append(payload_, account->second);
  Append(payload_, scopes->second);
  Append(payload_, static_cast<uint8_t>(flags));
  if (is_new_account) Append(payload_, key.account().uuid);
  if (is_new_set) {
    Append(payload_, static_cast<uint32_t>(scopes->first.size()));
    payload_ += scopes->first;
  }
  const auto facts = key.facts_bytes();
  payload_.append(reinterpret_cast<const char*>(facts.data()), facts.size());
  ++keys_;
}

void SnapshotEncoder::Next() {
  payload_.clear();
  keys_ = 0;
}

Result<std::vector<KeyImage>> SnapshotDecoder::Decode(std::string_view payload, uint32_t keys) {
  std::vector<KeyImage> images;
  Cursor cursor(payload);
  images.reserve(std::min<size_t>(keys, payload.size() / sizeof(key::Digest)));
  for (uint32_t i = 0; i < keys; ++i) {
    KeyImage& image = images.emplace_back();
    image.digest = cursor.Value<key::Digest>();
    image.id.uuid = cursor.Value<Uuid>();
    const auto account = cursor.Value<uint32_t>();
    const auto scope_set = cursor.Value<uint32_t>();
    const auto flags = cursor.Value<uint8_t>();
    if (!cursor.ok() || account > accounts_.size() || scope_set > scope_sets_.size() ||
        flags > (kIsTest | kIsDisabled)) {
      return Damaged();
    }
    if (account == accounts_.size()) accounts_.push_back({cursor.Value<Uuid>()});
    if (scope_set == scope_sets_.size()) {
      const std::string_view text = cursor.Take(cursor.Value<uint32_t>());
      if (!cursor.ok() || !IsScopeSet(text)) return Damaged();
      scope_sets_.emplace_back(text);
    }
    image.account = accounts_[account];
    image.scopes = scope_sets_[scope_set];
    image.is_test = (flags & kIsTest) != 0;
    image.is_disabled = (flags & kIsDisabled) != 0;
    image.facts = cursor.Facts();
    if (!cursor.ok() || !AreFacts(image.facts)) return Damaged();
  }
  if (!cursor.at_end()) return Damaged();
  return images;
}

Status WriteKeys(const Index& index, SnapshotFileWriter& file,
                 const std::function<bool()>& should_stop) {
  SnapshotEncoder encoder;
  for (uint32_t from = 1; from != 0;) {
    // Written outside of the walk: nobody waits for the disk while he sees a key.
    from = index.Walk(from, kCellsAtOnce, [&](const View& key) { encoder.Add(key); });
    const bool is_last = from == 0;
    if (encoder.payload().size() < kPayloadBytes && !(is_last && encoder.keys() > 0)) continue;
    if (should_stop()) return Fail(ErrorCode::kUnavailable, "stopped");
    P402_TRY(file.Append(encoder.payload(), encoder.keys()));
    encoder.Next();
  }
  return {};
}

Result<std::unique_ptr<SnapshotReader>> SnapshotReader::Open(const std::filesystem::path& path) {
  P402_TRY(auto file, SnapshotFileReader::Open(path));
  return std::unique_ptr<SnapshotReader>(new SnapshotReader(std::move(file)));
}

Result<std::optional<KeyBlock>> SnapshotReader::Next() {
  P402_TRY(auto block, file_->Next());
  if (!block) return std::nullopt;
  KeyBlock keys{.decoder = decoder_, .block = std::make_unique<SnapshotBlock>(*std::move(block))};
  P402_TRY(keys.keys, decoder_->Decode(keys.block->payload, keys.block->keys));
  return keys;
}

}  // namespace p402::index
