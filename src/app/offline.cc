#include "app/offline.h"

#include "app/messages.h"
#include "app/process.h"
#include "app/serve.h"
#include "base/random.h"
#include "index/snapshot.h"

namespace p402::app {
namespace {

// Only what is wrong: these commands talk to a person or a script, not to a log collector.
Result<std::unique_ptr<Log>> OpenQuietLog() {
  return OpenLog({.level = LogLevel::kError});
}

int PrintFirstKey(FirstKey key, const std::filesystem::path& data, bool is_json) {
  std::string text =
      is_json ? FirstKeyJson(key) : FirstKeyText(key, Spelled(data), "http://127.0.0.1:4020");
  const bool is_written = WriteOut(text);
  WipeString(text);
  if (is_written) return kDone;
  return Complain("the first key could not be written and is lost: delete " + data.string() +
                      " and start again",
                  kFailed);
}

}  // namespace

int Init(const std::filesystem::path& data, const InitOptions& options, const Clock& clock) {
  auto log = OpenQuietLog();
  if (!log) return Complain(log.error());
  SystemRandom random;
  auto node =
      Node::Open({.data = data, .brand = options.brand, .first_account_name = options.account_name},
                 clock, random, **log);
  if (!node) {
    const bool is_usage = node.error().code == ErrorCode::kInvalidArgument;
    return Complain(OpenFailure(node.error(), data), is_usage ? kUsage : kFailed);
  }
  if (const auto made = (*node)->MakeFirstKey(); !made) return Complain(made.error());
  auto key = (*node)->TakeFirstKey();
  if (!key) {
    return Complain(data.string() + " has an account already, so there is nothing to do", kFailed);
  }
  return PrintFirstKey(std::move(*key), data, options.is_json);
}

int Restore(const store::sqlite::RestoreOptions& options, bool is_json, const Clock& clock) {
  auto log = OpenQuietLog();
  if (!log) return Complain(log.error());
  SystemRandom random;
  const auto report = store::sqlite::Restore(options, clock, random, **log);
  if (!report) {
    std::string message = OpenFailure(report.error(), options.folder);
    if (report.error().reason == "resurrection") message += " (--accept-resurrection)";
    return Complain(message, kFailed);
  }
  // It is of the history that was replaced. Left behind, it would be refused for that; without it
  // nobody needs to know.
  std::error_code ignored;
  std::filesystem::remove(options.folder / index::kSnapshotName, ignored);
  WriteOut(is_json ? RestoreJson(*report) : RestoreText(*report, options.accept_resurrection));
  return kDone;
}

int VerifyAudit(const std::filesystem::path& data, const std::string& anchor_hex, bool is_json) {
  std::optional<key::Digest> anchor;
  if (!anchor_hex.empty()) {
    anchor = key::ParseDigest(anchor_hex);
    if (!anchor) return Complain("--anchor must have 64 hexadecimal digits", kUsage);
  }
  const auto verdict = store::sqlite::VerifyAudit(data, anchor);
  if (!verdict) return Complain(OpenFailure(verdict.error(), data), kFailed);
  WriteOut(is_json ? VerdictJson(*verdict) : VerdictText(*verdict, anchor.has_value()));
  const bool is_good = verdict->is_intact && (!anchor || verdict->anchor_found);
  return is_good ? kDone : kFailed;
}

}  // namespace p402::app
