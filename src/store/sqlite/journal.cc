#include "store/sqlite/journal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/base62.h"
#include "base/file.h"
#include "key/digest.h"

namespace p402::store::sqlite {
namespace {

constexpr std::string_view kMagic = "p402-revocations 2 ";
constexpr std::string_view kRevoke = "revoke ";
constexpr std::string_view kRestrict = "restrict ";
// Above the longest restriction: 1 KiB of scopes, 64 networks of 43 bytes, and 200 of the rest.
constexpr size_t kMaxLineBytes = 4096;
constexpr size_t kMaxJournalBytes = size_t{1} << 36;

std::string WithChecksum(std::string text) {
  return fmt::format("{} {:08x}\n", text, Crc32(text));
}

// The text between the name of the line and its checksum, if these fit.
std::optional<std::string_view> CheckedText(std::string_view line, std::string_view name) {
  const auto space = line.rfind(' ');
  if (space == std::string_view::npos || line.size() > kMaxLineBytes) return std::nullopt;
  auto text = line.substr(0, space);
  if (!text.starts_with(name)) return std::nullopt;
  if (line.substr(space + 1) != fmt::format("{:08x}", Crc32(text))) return std::nullopt;
  text.remove_prefix(name.size());
  return text;
}

// One text for one meaning: no leading zeros, no trailing space.
bool IsCanonical(std::string_view line, std::string_view formatted) {
  return line == formatted.substr(0, formatted.size() - 1);
}

template <class Number>
std::optional<Number> ParseNumber(std::string_view text, int base = 10) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<WallTime> ParseTime(std::string_view text) {
  const auto ms = ParseNumber<int64_t>(text);
  if (!ms) return std::nullopt;
  return WallTime(Millis(*ms));
}

std::string_view TakeWord(std::string_view& text, char end = ' ') {
  const auto at = text.find(end);
  const auto word = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return word;
}

// The value of the word `name`=value. A missing name shows when the line is formatted again.
std::string_view TakeValue(std::string_view& text) {
  auto word = TakeWord(text);
  TakeWord(word, '=');
  return word;
}

std::vector<std::string> TakeList(std::string_view& text) {
  std::vector<std::string> values;
  for (auto list = TakeValue(text); !list.empty();) values.emplace_back(TakeWord(list, ','));
  return values;
}

int64_t Number(WallTime time) {
  return time.time_since_epoch().count();
}

bool TakeLine(std::string_view line, JournalLines& lines) {
  if (const auto revocation = ParseRevocation(line)) {
    lines.revocations.push_back(*revocation);
    return true;
  }
  auto restriction = ParseRestriction(line);
  if (!restriction) return false;
  lines.restrictions.push_back(*std::move(restriction));
  return true;
}

std::string FormatLines(const JournalLines& lines) {
  std::string text;
  for (const auto& revocation : lines.revocations) text += FormatRevocation(revocation);
  for (const auto& restriction : lines.restrictions) text += FormatRestriction(restriction);
  return text;
}

}  // namespace

Restriction RestrictionOf(const key::Record& record, uint64_t tag, WallTime at) {
  return {.seq = record.version,
          .tag = tag,
          .key = record.id,
          .account = record.account,
          .at = at,
          .is_disabled = record.is_disabled,
          .expires_at = record.expires_at,
          .scopes = record.scopes,
          .allowed_cidrs = record.allowed_cidrs};
}

void JournalLines::Add(const JournalLines& more) {
  revocations.insert(revocations.end(), more.revocations.begin(), more.revocations.end());
  restrictions.insert(restrictions.end(), more.restrictions.begin(), more.restrictions.end());
}

std::string FormatRevocation(const Revocation& revocation) {
  return WithChecksum(fmt::format("{}{} {} {} {}", kRevoke, revocation.seq,
                                  revocation.key.ToString(), revocation.account.ToString(),
                                  Number(revocation.revoked_at)));
}

std::optional<Revocation> ParseRevocation(std::string_view line) {
  auto text = CheckedText(line, kRevoke);
  if (!text) return std::nullopt;
  const auto seq = ParseNumber<int64_t>(TakeWord(*text));
  const auto key = key::KeyId::Parse(TakeWord(*text));
  const auto account = key::AccountId::Parse(TakeWord(*text));
  const auto revoked_at = ParseTime(TakeWord(*text));
  if (!seq || !key || !account || !revoked_at) return std::nullopt;
  const Revocation revocation{
      .seq = *seq, .key = *key, .account = *account, .revoked_at = *revoked_at};
  if (!IsCanonical(line, FormatRevocation(revocation))) return std::nullopt;
  return revocation;
}

std::string FormatRestriction(const Restriction& restriction) {
  return WithChecksum(
      fmt::format("{}{} {:016x} {} {} {} disabled={:d} expires={} scopes={} cidrs={}", kRestrict,
                  restriction.seq, restriction.tag, restriction.key.ToString(),
                  restriction.account.ToString(), Number(restriction.at), restriction.is_disabled,
                  restriction.expires_at ? std::to_string(Number(*restriction.expires_at)) : "",
                  fmt::join(restriction.scopes.values(), ","),
                  fmt::join(restriction.allowed_cidrs.ToStrings(), ",")));
}

std::optional<Restriction> ParseRestriction(std::string_view line) {
  auto text = CheckedText(line, kRestrict);
  if (!text) return std::nullopt;
  const auto seq = ParseNumber<int64_t>(TakeWord(*text));
  const auto tag = ParseNumber<uint64_t>(TakeWord(*text), 16);
  const auto key = key::KeyId::Parse(TakeWord(*text));
  const auto account = key::AccountId::Parse(TakeWord(*text));
  const auto at = ParseTime(TakeWord(*text));
  const auto disabled = TakeValue(*text);
  const auto expires = TakeValue(*text);
  auto scopes = key::ScopeSet::Parse(TakeList(*text));
  auto cidrs = key::CidrSet::Parse(TakeList(*text));
  if (!seq || !tag || !key || !account || !at || !scopes || !cidrs) return std::nullopt;
  Restriction restriction{.seq = *seq,
                          .tag = *tag,
                          .key = *key,
                          .account = *account,
                          .at = *at,
                          .is_disabled = disabled == "1",
                          .expires_at = ParseTime(expires),
                          .scopes = *std::move(scopes),
                          .allowed_cidrs = *std::move(cidrs)};
  if (!IsCanonical(line, FormatRestriction(restriction))) return std::nullopt;
  return restriction;
}

std::string FormatJournalHead(const Uuid& store_id) {
  return WithChecksum(fmt::format("{}{}", kMagic, key::ToHex(store_id)));
}

std::optional<Uuid> ParseJournalHead(std::string_view line) {
  const auto text = CheckedText(line, kMagic);
  if (!text) return std::nullopt;
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
    const bool is_head = number == 1 && content.store_id;
    if (!is_head && !TakeLine(line, content.lines)) {
      if (!bad) bad = number;
    } else if (bad) {
      content.bad_line = bad;
      content.behind.append(line).push_back('\n');
    } else {
      content.front_bytes = offset;
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
  if (content.lines.empty() && content.store_id != store_id) return WriteHead(store_id);
  if (!content.store_id) {
    return Fail(ErrorCode::kCorrupt, "the first line of the revocation journal is damaged");
  }
  if (content.store_id != store_id) {
    return Fail(ErrorCode::kConflict, "the revocation journal belongs to another database");
  }
  bad_line_ = content.bad_line;
  size_ = content.front_bytes;
  is_torn_ = size_ != size;
  found_ = std::move(content.lines);
  waiting_ = std::move(content.behind);
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

Status Journal::Append(const JournalLines& lines) {
  waiting_ += FormatLines(lines);
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
