#include "lib/c_values.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/limits.h"
#include "key/scope.h"

namespace p402::lib {
namespace {

static_assert(limits::kRawKeyMaxBytes < P402_RAW_KEY_BYTES);
static_assert(4 * limits::kNameCharacters + limits::kOwnerBytes + limits::kScopesBytes +
                  limits::kMetadataBytes + /*NULs*/ 4 <=
              P402_TEXTS_BYTES);

constexpr std::string_view kAnyAccount = "*";
constexpr std::string_view kNul("\0", 1);

int CodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return P402_INVALID_ARGUMENT;
    case ErrorCode::kUnauthenticated:
      return P402_UNAUTHENTICATED;
    case ErrorCode::kPermissionDenied:
      return P402_PERMISSION_DENIED;
    case ErrorCode::kNotFound:
      return P402_NOT_FOUND;
    case ErrorCode::kConflict:
      return P402_CONFLICT;
    case ErrorCode::kTooLarge:
      return P402_TOO_LARGE;
    case ErrorCode::kResourceExhausted:
      return P402_RESOURCE_EXHAUSTED;
    case ErrorCode::kUnavailable:
      return P402_UNAVAILABLE;
    case ErrorCode::kLocked:
      return P402_LOCKED;
    case ErrorCode::kCorrupt:
      return P402_CORRUPT;
    case ErrorCode::kIo:
      return P402_IO;
    case ErrorCode::kInternal:
      return P402_INTERNAL;
  }
  return P402_INTERNAL;
}

// An id as text without a new string.
template <class Id>
void CopyId(const Id& id, std::span<char, P402_ID_BYTES> out) {
  Pen pen(out);
  id.WriteTo(pen);
  pen.Character('\0');
}

// The same; of accounts there are few, so the one before is kept.
void CopyAccountId(const key::AccountId& id, std::span<char, P402_ID_BYTES> out) {
  thread_local key::AccountId known;
  thread_local std::array<char, P402_ID_BYTES> text;
  if (known != id || known.is_nil()) {
    CopyId(id, text);
    known = id;
  }
  std::ranges::copy(text, out.begin());
}

// Puts texts one behind the other, each with a NUL.
class TextWriter {
 public:
  explicit TextWriter(std::span<char> room) : room_(room) {}

  p402_text Add(std::string_view text) {
    p402_text written{.data = room_.data() + used_, .size = text.size()};
    Append(text);
    Append(kNul);
    return written;
  }
  bool is_full() const { return is_full_; }

 private:
  void Append(std::string_view text) {
    is_full_ = is_full_ || text.size() > room_.size() - used_;
    if (is_full_ || text.empty()) return;
    std::memcpy(room_.data() + used_, text.data(), text.size());
    used_ += text.size();
  }

  std::span<char> room_;
  size_t used_ = 0;
  bool is_full_ = false;
};

void WriteNoTexts(p402_answer& out) {
  const p402_text empty{.data = "", .size = 0};
  out.name = out.owner = out.scopes = out.metadata = empty;
}

Result<std::string> ReadText(const p402_text& text, std::string_view field) {
  if (!IsBroken(text)) return std::string(ViewOf(text));
  return InvalidArgument(std::string(field), "the size is above 0, but there is no text");
}

Result<std::optional<key::Mode>> ReadMode(int mode, int meaning_none) {
  if (mode == meaning_none) return std::nullopt;
  if (mode == P402_LIVE) return key::Mode::kLive;
  if (mode == P402_TEST) return key::Mode::kTest;
  return InvalidArgument("mode", "mode is none of P402_LIVE, P402_TEST and the like");
}

}  // namespace

int CodeOf(key::Decision decision) {
  switch (decision) {
    case key::Decision::kValid:
      return P402_VALID;
    case key::Decision::kMalformed:
      return P402_MALFORMED;
    case key::Decision::kNotFound:
      return P402_KEY_NOT_FOUND;
    case key::Decision::kRevoked:
      return P402_REVOKED;
    case key::Decision::kDisabled:
      return P402_DISABLED;
    case key::Decision::kExpired:
      return P402_EXPIRED;
    case key::Decision::kInsufficientScope:
      return P402_INSUFFICIENT_SCOPE;
    case key::Decision::kWrongMode:
      return P402_WRONG_MODE;
    case key::Decision::kIpNotAllowed:
      return P402_IP_NOT_ALLOWED;
  }
  return P402_UNDECIDED;
}

Result<std::vector<std::string>> TextsOf(const p402_text* texts, size_t count,
                                         std::string_view field) {
  std::vector<std::string> result;
  if (texts == nullptr && count > 0) {
    return InvalidArgument(std::string(field), "the count is above 0, but there are no texts");
  }
  for (const p402_text& text : std::span(texts, count)) {
    P402_TRY(std::string read, ReadText(text, field));
    result.push_back(std::move(read));
  }
  return result;
}

void CopyText(std::string_view text, std::span<char> out) {
  const size_t size = std::min(text.size(), out.size() - 1);
  if (size > 0) std::memcpy(out.data(), text.data(), size);
  out[size] = '\0';
}

int Report(const Status& status, p402_error* error) {
  const int code = status ? P402_OK : CodeOf(status.error().code);
  if (error == nullptr) return code;
  *error = {};
  error->code = code;
  if (status) return code;
  const Error& failed = status.error();
  CopyText(failed.reason, error->reason);
  CopyText(failed.field, error->field);
  CopyText(failed.public_message.empty() ? failed.detail : failed.public_message, error->message);
  return code;
}

Status CheckReserved(std::span<const uint64_t, 4> reserved) {
  if (IsZero(reserved)) return {};
  return InvalidArgument("reserved", "reserved must be zero: is the struct initialised?");
}

Status QuestionReader::ReadScopes(const p402_question& question) {
  if (question.scope_count > P402_SCOPES_MAX ||
      (question.scopes == nullptr && question.scope_count > 0)) {
    return InvalidArgument("scopes", "scopes must be at most 64 texts");
  }
  if (scopes_.size() < question.scope_count) scopes_.resize(question.scope_count);
  for (size_t i = 0; i < question.scope_count; ++i) {
    const std::string_view scope = ViewOf(question.scopes[i]);
    if (!key::IsScope(scope)) return InvalidArgument("scopes", "one of the scopes is not one");
    scopes_[i] = scope;
  }
  return {};
}

Result<key::Question> QuestionReader::Read(const p402_question& question,
                                           const key::AccountId& first_account) {
  if (!IsZero(question.reserved)) P402_TRY(CheckReserved(question.reserved));
  if (question.scope_count > 0) P402_TRY(ReadScopes(question));
  key::Question read{.account = first_account,
                     .mode = key::Mode::kLive,
                     .scopes = std::span(scopes_).first(question.scope_count)};
  if (question.mode != P402_DEFAULT_MODE) {
    P402_TRY(read.mode, ReadMode(question.mode, P402_ANY_MODE));
  }
  // A text that is missing must not become a wider question.
  if (IsBroken(question.account)) {
    return InvalidArgument("account", "the size is above 0, but there is no text");
  }
  if (const auto account = ViewOf(question.account); account == kAnyAccount) {
    read.account.reset();
  } else if (!account.empty()) {
    read.account = key::AccountId::Parse(account);
    if (!read.account) return InvalidArgument("account", "account is not an account's id");
  }
  if (const auto ip = ViewOf(question.ip); !ip.empty()) {
    read.ip = key::IpAddress::Parse(ip);
    if (!read.ip) return InvalidArgument("ip", "ip is not an IPv4 or IPv6 address");
  }
  return read;
}

Status WriteAnswer(const index::Answer& answer, p402_answer& out, p402_texts* texts) {
  WriteNoTexts(out);
  out.decision = CodeOf(answer.decision);
  if (answer.decision != key::Decision::kValid) return {};
  const index::View& key = answer.key;
  out.mode = key.mode() == key::Mode::kTest ? P402_TEST : P402_LIVE;
  CopyId(key.id(), out.key_id);
  CopyAccountId(key.account(), out.account_id);
  const auto expires_at = key.expires_at();
  if (expires_at) out.expires_at_ms = expires_at->time_since_epoch().count();
  if (texts == nullptr) return {};
  const index::Facts facts = key.facts();
  TextWriter writer(texts->bytes);
  out.name = writer.Add(facts.name);
  out.owner = writer.Add(facts.owner);
  out.scopes = writer.Add(key.scopes());
  out.metadata = writer.Add(facts.metadata);
  if (writer.is_full()) return Fail(ErrorCode::kTooLarge, "the key's texts do not fit");
  return {};
}

void WriteCreated(const service::CreatedKey& created, p402_created& out) {
  out = {};
  CopyId(created.record.id, out.key_id);
  CopyId(created.record.account, out.account_id);
  CopyText(created.raw_key.Reveal(), out.raw_key);
  out.created_at_ms = created.record.created_at.time_since_epoch().count();
}

Result<service::CreateRequest> ReadNewKey(const p402_new_key& wanted) {
  P402_TRY(CheckReserved(wanted.reserved));
  service::CreateRequest request;
  // A key whose owner got lost would have the actor's scopes.
  P402_TRY(request.name, ReadText(wanted.name, "name"));
  P402_TRY(request.owner, ReadText(wanted.owner, "owner"));
  P402_TRY(request.mode, ReadMode(wanted.mode, P402_DEFAULT_MODE));
  P402_TRY(auto scopes, TextsOf(wanted.scopes, wanted.scope_count, "scopes"));
  if (wanted.scopes != nullptr) request.scopes = std::move(scopes);
  P402_TRY(request.allowed_cidrs,
           TextsOf(wanted.allowed_cidrs, wanted.allowed_cidr_count, "allowed_cidrs"));
  if (wanted.expires_at_ms != 0) request.expires_at = WallTime(Millis(wanted.expires_at_ms));
  return request;
}

Result<key::KeyId> ReadKeyId(const p402_text& text) {
  const auto id = key::KeyId::Parse(ViewOf(text));
  if (!id) return InvalidArgument("key_id", "key_id is not a key's id");
  return *id;
}

}  // namespace p402::lib
