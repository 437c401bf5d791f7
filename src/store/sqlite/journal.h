#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "key/ids.h"
#include "key/record.h"
#include "store/sqlite/vfs_file.h"

namespace p402::store::sqlite {

// Every restrictive change outside the database (C5): what a restored backup must not undo. One
// line each, never rewritten; the first line names the database. Never change the format:
//
//   p402-revocations 2 <store id: 32 hex digits> <CRC-32 of what is before, 8 hex digits>\n
//   revoke <seq> <key id> <account id> <revoked at, ms since the epoch> <CRC-32>\n
//   restrict <seq> <tag: 16 hex digits> <key id> <account id> <at, ms> disabled=<0 or 1>
//     expires=<ms, or nothing> scopes=<a,b or nothing> cidrs=<a,b or nothing> <CRC-32>\n
//
// (the latter is one line too). It has no name, owner, metadata or digest.
struct Revocation {
  int64_t seq = 0;
  key::KeyId key;
  key::AccountId account;
  WallTime revoked_at{};
  bool operator==(const Revocation&) const = default;
};

// What a key may still do after a change that narrowed it. Seq and tag are the change's in the log:
// the tag tells whether a database has this change, or another of the same number.
struct Restriction {
  int64_t seq = 0;
  uint64_t tag = 0;
  key::KeyId key;
  key::AccountId account;
  WallTime at{};
  bool is_disabled = false;
  std::optional<WallTime> expires_at = {};
  key::ScopeSet scopes = {};
  key::CidrSet allowed_cidrs = {};
  bool operator==(const Restriction&) const = default;
};
// `record.version` is the number of the change.
Restriction RestrictionOf(const key::Record& record, uint64_t tag, WallTime at);

// Both in the order in which they were written: the last restriction of a key is what holds.
struct JournalLines {
  std::vector<Revocation> revocations = {};
  std::vector<Restriction> restrictions = {};
  bool empty() const { return revocations.empty() && restrictions.empty(); }
  void Add(const JournalLines& more);
  bool operator==(const JournalLines&) const = default;
};

// With the line feed.
std::string FormatRevocation(const Revocation& revocation);
std::string FormatRestriction(const Restriction& restriction);
// `line` without the line feed.
// Errors: nullopt for everything that the functions above cannot write.
std::optional<Revocation> ParseRevocation(std::string_view line);
std::optional<Restriction> ParseRestriction(std::string_view line);

std::string FormatJournalHead(const Uuid& store_id);
std::optional<Uuid> ParseJournalHead(std::string_view line);

// What stands in a journal.
struct JournalContent {
  std::optional<Uuid> store_id = {};  // nullopt: the file has no whole first line
  JournalLines lines = {};
  uint64_t front_bytes = 0;  // the good front
  std::string behind = {};   // the good lines behind the first damaged one
  // The first damaged line (from 1) that has good ones behind it: more than a torn end.
  std::optional<size_t> bad_line = {};
  // False: something stands behind the good front. A crash may have torn it, or damage have hit a
  // change that was answered.
  bool is_whole = true;
};
JournalContent ParseJournal(std::string_view text);

inline constexpr std::string_view kJournalName = "revocations.journal";

// Errors: kNotFound, kIo.
Result<JournalContent> ReadJournal(const std::filesystem::path& folder);

// The open journal.
// Threads: one at a time.
class Journal {
 public:
  // Opens the journal, or makes one with mode 0600 for `store_id`, and reads all of it. What a
  // crash left behind the good front is replaced by the next Append.
  // Errors: kIo; kConflict (the lines of another database); kCorrupt (no first line).
  static Result<std::unique_ptr<Journal>> Open(const std::filesystem::path& folder,
                                               const Uuid& store_id, const std::string& vfs);

  // What Open found; the second call answers nothing.
  JournalLines TakeFound() { return std::move(found_); }
  // The first damaged line that Open found (JournalContent::bad_line).
  std::optional<size_t> bad_line() const { return bad_line_; }
  // Writes the lines, and those that an earlier Append could not write, and makes them durable.
  // After an error they are kept for the next call, which starts where the last good line ends.
  Status Append(const JournalLines& lines);

 private:
  explicit Journal(std::unique_ptr<VfsFile> file) : file_(std::move(file)) {}
  Status Start(const Uuid& store_id);
  Status WriteHead(const Uuid& store_id);

  std::unique_ptr<VfsFile> file_;
  uint64_t size_ = 0;     // of the good front
  std::string waiting_;   // lines that are not durable yet
  bool is_torn_ = false;  // the file may be longer than size_
  JournalLines found_;
  std::optional<size_t> bad_line_ = {};
};

}  // namespace p402::store::sqlite
