#include "store/sqlite/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/base62.h"
#include "base/file.h"
#include "key/digest.h"

namespace p402::store::sqlite {
namespace {

constexpr std::string_view kMagic = "p402-revocations 1 ";
constexpr size_t kMaxLineBytes = 160;
constexpr size_t kMaxJournalBytes = size_t{1} << 36;

std::string WithChecksum(std::string text) {
  return fmt::format("{} {:08x}\n", text, Crc32(text));
}

// The text before the checksum, if that fits.
std::optional<std::string_view> CheckedText(std::string_view line) {
  const auto space = line.rfind(' ');
  if (space == std::string_view::npos || line.size() > kMaxLineBytes) return std::nullopt;
  const auto text = line.substr(0, space);
  if (line.substr(space + 1) != fmt::format("{:08x}", Crc32(text))) return std::nullopt;
  return text;
}

std::optional<int64_t> ParseNumber(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view TakeWord(std::string_view& text) {
  const auto space = text.find(' ');
  const auto word = text.substr(0, space);
  text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  return word;
}

}  // namespace

std::string FormatRevocation(const Revocation& revocation) {
  return WithChecksum(fmt::format("{} {} {} {}", revocation.seq, revocation.key.ToString(),
                                  revocation.account.ToString(),
                                  revocation.revoked_at.time_since_epoch().count()));
}

std::optional<Revocation> ParseRevocation(std::string_view line) {
  auto text = CheckedText(line);
  if (!text) return std::nullopt;
  const auto seq = ParseNumber(TakeWord(*text));
  const auto key = key::KeyId::Parse(TakeWord(*text));
  const auto account = key::AccountId::Parse(TakeWord(*text));
  const auto revoked_at = ParseNumber(TakeWord(*text));
  if (!seq || !key || !account || !revoked_at || !text->empty()) return std::nullopt;
  const Revocation revocation{
      .seq = *seq, .key = *key, .account = *account, .revoked_at = WallTime(Millis(*revoked_at))};
  // One text for one meaning: no leading zeros, no trailing space.
  const std::string canonical = FormatRevocation(revocation);
  if (line != std::string_view(canonical).substr(0, canonical.size() - 1)) return std::nullopt;
  return revocation;
}

std::string FormatJournalHead(const Uuid& store_id) {
  return WithChecksum(fmt::format("{}{}", kMagic, key::ToHex(store_id)));
}

std::optional<Uuid> ParseJournalHead(std::string_view line) {
  auto text = CheckedText(line);
  if (!text || !text->starts_with(kMagic)) return std::nullopt;
  text->remove_prefix(kMagic.size());
  Uuid id;
  if (text->size() != 2 * id.size()) return std::nullopt;
  for (size_t i = 0; i < id.size(); ++i) {
    const auto digits = text->substr(2 * i, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + 2, id[i], 16);
    if (error != std::errc() || end != digits.data() + 2) return std::nullopt;
  }
  if (*text != key::ToHex(id)) return std::nullopt;
  return id;
}

JournalContent ParseJournal(std::string_view text) {
  JournalContent content;
  std::optional<size_t> bad;
  size_t number = 0;
  for (size_t offset = 0; offset < text.size();) {
    const auto end = text.find('\n', offset);
    if (end == std::string_view::npos) break;  // a torn end
    const auto line = text.substr(offset, end - offset);
    offset = end + 1;
    ++number;
    if (number == 1) content.store_id = ParseJournalHead(line);
    const auto revocation = ParseRevocation(line);
    if (!revocation && !(number == 1 && content.store_id)) {
      if (!bad) bad = number;
      continue;
    }
    if (revocation) content.revocations.push_back(*revocation);
    if (bad) {
      content.bad_line = bad;
    } else {
      content.front_bytes = offset;
      content.front_count = content.revocations.size();
    }
  }
  content.is_whole = content.front_bytes == text.size();
  return content;
}

Result<JournalContent> ReadJournal(const std::filesystem::path& folder) {
  P402_TRY(const std::string text, ReadFile(folder / kJournalName, kMaxJournalBytes));
  return ParseJournal(text);
}

Result<std::unique_ptr<Journal>> Journal::Open(const std::filesystem::path& folder,
                                               const Uuid& store_id, const std::string& vfs) {
  P402_TRY(auto file, VfsFile::Open(folder / kJournalName, vfs));
  std::unique_ptr<Journal> journal(new Journal(std::move(file)));
  P402_TRY(journal->Start(store_id));
  return journal;
}

Status Journal::Start(const Uuid& store_id) {
  P402_TRY(const uint64_t size, file_->Size());
  P402_TRY(const std::string text, file_->Read(0, size));
  JournalContent content = ParseJournal(text);
  if (content.revocations.empty() && content.store_id != store_id) return WriteHead(store_id);
  if (!content.store_id) {
    return Fail(ErrorCode::kCorrupt, "the first line of the revocation journal is damaged");
  }
  if (content.store_id != store_id) {
    return Fail(ErrorCode::kConflict, "the revocation journal belongs to another database");
  }
  size_ = content.front_bytes;
  is_torn_ = size_ != size;
  found_ = std::move(content.revocations);
  for (size_t i = content.front_count; i < found_.size(); ++i) {
    waiting_ += FormatRevocation(found_[i]);
  }
  return Append({});
}

Status Journal::WriteHead(const Uuid& store_id) {
  const std::string head = FormatJournalHead(store_id);
  P402_TRY(file_->Truncate(0));
  P402_TRY(file_->Write(0, head));
  P402_TRY(file_->Sync());
  size_ = head.size();
  return {};
}

Status Journal::Append(const std::vector<Revocation>& revocations) {
  for (const auto& revocation : revocations) waiting_ += FormatRevocation(revocation);
  if (waiting_.empty() && !is_torn_) return {};
  if (is_torn_) P402_TRY(file_->Truncate(size_));
  is_torn_ = true;
  if (!waiting_.empty()) P402_TRY(file_->Write(size_, waiting_));
  P402_TRY(file_->Sync());
  is_torn_ = false;
  size_ += waiting_.size();
  waiting_.clear();
  return {};
}

}  // namespace p402::store::sqlite
