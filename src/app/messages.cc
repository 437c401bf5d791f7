#include "app/messages.h"

#include <fmt/format.h>

#include "base/text.h"

namespace p402::app {
namespace {

std::string Json(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

// 1200000 as "1,200,000".
std::string Grouped(int64_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string TimeOrNull(const std::optional<WallTime>& time) {
  return time ? fmt::format("\"{}\"", FormatRfc3339(*time)) : "null";
}

// "a","b"
std::string JsonIds(const std::vector<key::KeyId>& ids) {
  std::string text;
  for (const auto& id : ids)
    text += fmt::format("{}\"{}\"", text.empty() ? "" : ",", id.ToString());
  return text;
}

}  // namespace

std::string FirstKeyText(const FirstKey& key, std::string_view folder, std::string_view url) {
  // Reserved, so that no smaller copy with the key in it is left behind.
  std::string text;
  text.reserve(2048 + folder.size() + url.size());
  const std::string_view raw_key = key.raw_key.Reveal();
  text += "P402 Keys made a new store in ";
  text += folder;
  text +=
      ", with a first account and a first key.\n\nThis key is shown only now. It may do everything "
      "in its account:\n\n  ";
  text += raw_key;
  text += "\n\nUse it:\n\n  export P402_API_KEY=";
  text += raw_key;
  if (!url.empty()) {
    // Not as an argument, which every user of the machine can read.
    text += "\n  echo \"Authorization: Bearer $P402_API_KEY\" | curl -H @- ";
    text += url;
    text += "/api/v2/keys";
  }
  text += "\n\n";
  return text;
}

std::string FirstKeyJson(const FirstKey& key) {
  std::string text;
  text.reserve(1024);
  text += "{\"account_id\":\"";
  text += key.account_id;
  text += "\",\"key_id\":\"";
  text += key.key_id;
  text += "\",\"key\":\"";
  text += key.raw_key.Reveal();
  text += "\"}\n";
  return text;
}

std::string ProgressText(const feed::Progress& progress) {
  if (progress.total <= 0) return fmt::format("Loading keys: {}", Grouped(progress.loaded));
  return fmt::format("Loading keys: {} of {} ({} %)", Grouped(progress.loaded),
                     Grouped(progress.total), progress.loaded * 100 / progress.total);
}

std::string RestoreText(const store::sqlite::RestoreReport& report, bool is_accepted) {
  const std::string backup_at = FormatRfc3339(report.backup_at);
  std::string text = fmt::format("Restored {} keys as of {}.\n", Grouped(report.keys), backup_at);
  if (report.journal_until) {
    text += fmt::format(
        "The journal of revocations, until {}, revoked {} of them again and restricted {}.\n",
        FormatRfc3339(*report.journal_until), report.revoked_again.size(),
        report.restricted_again.size());
  } else if (is_accepted) {
    text += fmt::format(
        "No journal of revocations: keys that were revoked or restricted after {} may be active "
        "again.\n",
        backup_at);
  } else {
    text += "The journal of revocations is empty: no key was revoked or restricted.\n";
  }
  text += "What was created, enabled, widened or extended since is lost.\n";
  for (const auto& id : report.revoked_again) text += fmt::format("  revoked {}\n", id.ToString());
  for (const auto& id : report.restricted_again) {
    text += fmt::format("  restricted {}\n", id.ToString());
  }
  return text;
}

std::string RestoreJson(const store::sqlite::RestoreReport& report) {
  return fmt::format(
      "{{\"keys\":{},\"backup_at\":\"{}\",\"journal_until\":{},\"revoked_again\":[{}],"
      "\"restricted_again\":[{}]}}\n",
      report.keys, FormatRfc3339(report.backup_at), TimeOrNull(report.journal_until),
      JsonIds(report.revoked_again), JsonIds(report.restricted_again));
}

std::string VerdictText(const store::AuditVerdict& verdict, bool has_anchor) {
  std::string text = verdict.is_intact ? fmt::format("intact: {} records\n", verdict.checked)
                                       : fmt::format("BROKEN: {}\n", verdict.problem);
  text += fmt::format("head: {} {}\n", verdict.head.number, key::ToHex(verdict.head.hash));
  if (has_anchor) text += verdict.anchor_found ? "anchor: found\n" : "anchor: NOT in the chain\n";
  return text;
}

std::string VerdictJson(const store::AuditVerdict& verdict) {
  return fmt::format(
      "{{\"intact\":{},\"checked\":{},\"first_number\":{},\"head\":{{\"number\":{},\"hash\":\"{}\"}"
      "}"
      ",\"problem\":{},\"anchor_found\":{}}}\n",
      verdict.is_intact, verdict.checked, verdict.first_number, verdict.head.number,
      key::ToHex(verdict.head.hash), verdict.problem.empty() ? "null" : Json(verdict.problem),
      verdict.anchor_found);
}

}  // namespace p402::app
