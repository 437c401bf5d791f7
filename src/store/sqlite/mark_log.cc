#include "store/sqlite/mark_log.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/base62.h"
#include "store/sqlite/rows.h"

namespace p402::store::sqlite {
namespace {

using Run = std::shared_ptr<const MarkRun>;

constexpr size_t kIdBytes = sizeof(Uuid);
constexpr size_t kMarkBytes = kIdBytes + sizeof(int64_t);
constexpr size_t kCrcBytes = sizeof(uint32_t);
static_assert(std::endian::native == std::endian::little);

std::string Encode(const MarkRun& run) {
  std::string bytes(run.size() * kMarkBytes + kCrcBytes, '\0');
  char* out = bytes.data();
  for (const UsageMark& mark : run) {
    const int64_t at = mark.at.time_since_epoch().count();
    std::memcpy(out, mark.key.uuid.data(), kIdBytes);
    std::memcpy(out + kIdBytes, &at, sizeof at);
    out += kMarkBytes;
  }
  const uint32_t crc = Crc32(std::string_view(bytes).substr(0, bytes.size() - kCrcBytes));
  std::memcpy(out, &crc, sizeof crc);
  return bytes;
}

// nullopt: not what Encode made.
std::optional<MarkRun> Decode(std::span<const uint8_t> bytes) {
  if (bytes.size() % kMarkBytes != kCrcBytes) return std::nullopt;
  const size_t length = bytes.size() - kCrcBytes;
  uint32_t crc = 0;
  std::memcpy(&crc, bytes.data() + length, sizeof crc);
  if (Crc32({reinterpret_cast<const char*>(bytes.data()), length}) != crc) return std::nullopt;
  MarkRun run(length / kMarkBytes);
  const uint8_t* in = bytes.data();
  for (UsageMark& mark : run) {
    int64_t at = 0;
    std::memcpy(mark.key.uuid.data(), in, kIdBytes);
    std::memcpy(&at, in + kIdBytes, sizeof at);
    mark.at = WallTime(Millis(at));
    in += kMarkBytes;
  }
  return run;
}

// Sorts, and leaves each key's latest.
void Order(MarkRun& marks) {
  std::ranges::sort(marks, [](const UsageMark& a, const UsageMark& b) {
    return a.key != b.key ? a.key < b.key : a.at > b.at;
  });
  const auto rest = std::ranges::unique(marks, {}, &UsageMark::key);
  marks.erase(rest.begin(), rest.end());
}

Run Merged(const MarkRun& a, const MarkRun& b) {
  auto merged = std::make_shared<MarkRun>();
  merged->reserve(a.size() + b.size());
  auto left = a.begin();
  auto right = b.begin();
  while (left != a.end() && right != b.end()) {
    if (left->key < right->key) {
      merged->push_back(*left++);
    } else if (right->key < left->key) {
      merged->push_back(*right++);
    } else {
      merged->push_back(left->at < right->at ? *right : *left);
      ++left;
      ++right;
    }
  }
  merged->insert(merged->end(), left, a.end());
  merged->insert(merged->end(), right, b.end());
  merged->shrink_to_fit();
  return merged;
}

void MergeLastTwo(std::vector<Run>& runs) {
  Run merged = Merged(*runs[runs.size() - 2], *runs.back());
  runs.pop_back();
  runs.back() = std::move(merged);
}

}  // namespace

std::optional<WallTime> LoggedMarks::Of(const key::KeyId& key) const {
  std::optional<WallTime> latest;
  for (const auto& run : runs_) {
    const auto mark = std::ranges::lower_bound(*run, key, {}, &UsageMark::key);
    if (mark != run->end() && mark->key == key) latest = std::max(latest, std::optional(mark->at));
  }
  return latest;
}

void LoggedMarks::AddTo(key::Record& record) const {
  record.last_used_at = std::max(record.last_used_at, Of(record.id));  // nullopt is the least
}

Result<std::unique_ptr<MarkLog>> MarkLog::Load(Database& database, Log& log,
                                               const MarkLogOptions& options) {
  std::unique_ptr<MarkLog> loaded(new MarkLog(options));
  P402_TRY(Query query, database.Prepare("SELECT number, marks FROM usage_log ORDER BY number"));
  int64_t damaged = 0;
  for (;;) {
    P402_TRY(const bool has_row, query.Step());
    if (!has_row) break;
    const auto bytes = query.Bytes(1);
    auto run = Decode(bytes);
    if (!run) ++damaged;
    loaded->last_row_ = query.Int(0) - 1;
    loaded->AddRun(std::make_shared<MarkRun>(std::move(run).value_or(MarkRun())), bytes.size());
  }
  if (damaged > 0) log.Error("store.marks_damaged", {{"rows", damaged}});
  while (loaded->runs_.size() > 1) MergeLastTwo(loaded->runs_);
  loaded->Publish();
  return loaded;
}

LoggedMarks MarkLog::Now() const {
  std::lock_guard lock(mutex_);
  return now_;
}

Status MarkLog::Write(Database& database, MarkRun marks) {
  if (marks.empty()) return {};
  Order(marks);
  const std::string bytes = Encode(marks);
  const int64_t row = last_row_ + static_cast<int64_t>(staged_.runs.size()) + 1;
  {
    P402_TRY(Query query, database.Prepare("INSERT INTO usage_log(number, marks) VALUES(?1, ?2)"));
    query.BindAt(1, row);
    query.BindAt(2, std::span(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
    P402_TRY(query.Run());
  }
  P402_TRY(const size_t folded, Fold(database));
  P402_TRY(const bool is_cleared, Clear(database));
  staged_.runs.push_back(std::make_shared<MarkRun>(std::move(marks)));
  staged_.bytes += bytes.size();
  staged_.folded += folded;
  staged_.is_cleared = is_cleared;
  return {};
}

// Returns how many marks it brought into the table.
Result<size_t> MarkLog::Fold(Database& database) const {
  if (!pass_) return size_t{0};
  const MarkRun& run = *pass_->run;
  const size_t begin = pass_->folded + staged_.folded;
  const size_t end = std::min(begin + options_.fold_marks, run.size());
  for (size_t i = begin; i < end; ++i) P402_TRY(WriteMark(database, run[i].key, run[i].at));
  return end - begin;
}

// Returns whether no row of the pass is left. Only of a pass whose folding is committed.
Result<bool> MarkLog::Clear(Database& database) const {
  if (!is_folded()) return false;
  P402_TRY(Query query,
           database.Prepare("DELETE FROM usage_log WHERE number IN (SELECT number FROM usage_log "
                            "WHERE number <= ?1 ORDER BY number LIMIT ?2)"));
  P402_TRY(query.Bind(pass_->through, options_.clear_rows).Run());
  return database.changes() < static_cast<int64_t>(options_.clear_rows);
}

void MarkLog::Committed() {
  if (staged_.runs.empty()) return;
  Staged staged = std::exchange(staged_, {});
  if (staged.is_cleared) pass_.reset();
  if (pass_) pass_->folded += staged.folded;
  if (is_folded()) pass_->Release();
  for (auto& run : staged.runs) AddRun(std::move(run), 0);
  bytes_ += staged.bytes;
  StartPass();
  Publish();
}

void MarkLog::AddRun(Run run, size_t bytes) {
  ++last_row_;
  ++rows_;
  bytes_ += bytes;
  if (run->empty()) return;
  runs_.push_back(std::move(run));
  while (runs_.size() > 1 && runs_[runs_.size() - 2]->size() < 2 * runs_.back()->size()) {
    MergeLastTwo(runs_);
  }
}

size_t MarkLog::waiting() const {
  size_t marks = pass_ ? pass_->run->size() : 0;
  for (const auto& run : runs_) marks += run->size();
  return marks;
}

void MarkLog::StartPass() {
  const bool is_full =
      rows_ > options_.max_rows || bytes_ > options_.max_bytes || waiting() > options_.max_marks;
  if (pass_ || !is_full) return;
  if (runs_.empty()) runs_.push_back(std::make_shared<MarkRun>());  // only damaged rows
  while (runs_.size() > 1) MergeLastTwo(runs_);
  pass_ = {.run = std::move(runs_.front()), .through = last_row_};
  runs_.clear();
  rows_ = 0;
  bytes_ = 0;
}

void MarkLog::Publish() {
  std::vector<Run> runs = runs_;
  if (pass_ && !is_folded()) runs.push_back(pass_->run);
  std::lock_guard lock(mutex_);
  now_ = LoggedMarks(std::move(runs));
}

}  // namespace p402::store::sqlite
