#include "api/json_out.h"

#include <fmt/format.h>

#include "base/secret.h"
#include "base/text.h"

namespace p402::api {
namespace {

// A text with a gap that a raw key goes into.
struct Gapped {
  std::string text;
  size_t gap = 0;
};

void AppendKeyFields(ObjectWriter& object, std::string& out, const key::Record& record,
                     WallTime now, size_t* gap) {
  object.Text("id", record.id.ToString());
  object.Text("name", record.name);
  if (gap != nullptr) *gap = out.size();
  object.Text("prefix", record.prefix);
  object.Time("created_at", record.created_at);
  object.Time("last_used_at", record.last_used_at);
  object.Text("status", key::KeyStatusName(key::StatusAt(record, now)));
  object.Text("mode", key::ModeName(record.mode));
  object.Texts("scopes", record.scopes.values());
  object.TextOrNull("owner", record.owner);
  object.Raw("metadata", record.metadata);
  object.Texts("allowed_cidrs", record.allowed_cidrs.ToStrings());
  object.Name("created_by");
  ObjectWriter actor(out);
  actor.Text("kind", key::ActorKindName(record.created_by.kind));
  actor.Text("id", record.created_by.id);
  actor.End();
  object.Time("expires_at", record.expires_at);
  object.Time("revoked_at", record.revoked_at);
  object.TextOrNull("revoke_reason", record.revoke_reason);
  object.TextOrNull("rotated_from", record.rotated_from ? record.rotated_from->ToString() : "");
}

void AppendEnforcement(ObjectWriter& object, std::string& out,
                       const service::Enforcement& enforcement, Answered answered) {
  object.Name("nodes");
  ObjectWriter nodes(out);
  nodes.Number("acknowledged", enforcement.report.acknowledged);
  nodes.Number("expired", enforcement.report.expired);
  nodes.End();
  if (answered == Answered::kCommitted) object.Texts("pending_nodes", enforcement.pending_nodes);
  object.Number("took_ms", enforcement.report.took.count());
}

std::string Filled(const Gapped& gapped, const Secret& raw_key) {
  constexpr std::string_view kBefore = R"(,"key":")";
  std::string out;
  out.reserve(gapped.text.size() + kBefore.size() + raw_key.size() + 1);
  out.append(gapped.text, 0, gapped.gap);
  out += kBefore;
  out += raw_key.Reveal();  // base62 and '_': nothing to escape
  out += '"';
  out.append(gapped.text, gapped.gap);
  return out;
}

void AppendAuditRecord(std::string& out, const store::AuditRecord& record, bool shows_chain) {
  ObjectWriter object(out);
  if (shows_chain) object.Number("number", record.number);
  object.Time("at", record.at);
  object.Name("actor");
  ObjectWriter actor(out);
  actor.Text("kind", key::ActorKindName(record.actor.kind));
  actor.Text("id", record.actor.id);
  actor.End();
  object.Text("action", record.action);
  object.Text("subject", record.subject);
  object.Raw("details", record.details.empty() ? "{}" : record.details);
  object.TextOrNull("ip", record.ip);
  object.TextOrNull("request_id", record.request_id);
  if (shows_chain) {
    object.Text("previous", key::ToHex(record.previous));
    object.Text("hash", key::ToHex(record.hash));
  }
  object.End();
}

void AppendAccountFields(ObjectWriter& object, const store::Account& account) {
  object.Text("id", account.id.ToString());
  object.Text("name", account.name);
  object.Time("created_at", account.created_at);
}

// The words of `text`, which are separated by single spaces and need no escape, as JSON strings.
void WriteWords(Pen& pen, std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    pen.Character('"');
    pen.Text(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    pen.Text(text.empty() ? "\"" : "\",");
  }
}

void WriteTimeOrNull(Pen& pen, std::optional<WallTime> time) {
  if (!time) return pen.Text("null");
  pen.Character('"');
  WriteRfc3339(pen, *time);
  pen.Character('"');
}

// A member that is an array of whatever `append` writes for one item.
template <class Items, class Append>
void AppendList(ObjectWriter& object, std::string& out, std::string_view name, const Items& items,
                Append append) {
  object.Name(name);
  out += '[';
  bool is_first = true;
  for (const auto& item : items) {
    if (!is_first) out += ',';
    is_first = false;
    append(item);
  }
  out += ']';
}

}  // namespace

void ObjectWriter::Name(std::string_view name) {
  if (!is_first_) out_ += ',';
  is_first_ = false;
  out_ += '"';
  out_ += name;
  out_ += "\":";
}

void ObjectWriter::Text(std::string_view name, std::string_view value) {
  Name(name);
  AppendJsonString(out_, value);
}

void ObjectWriter::TextOrNull(std::string_view name, std::string_view value) {
  if (value.empty()) return Raw(name, {});
  Text(name, value);
}

void ObjectWriter::Number(std::string_view name, int64_t value) {
  Name(name);
  fmt::format_to(std::back_inserter(out_), "{}", value);
}

void ObjectWriter::Bool(std::string_view name, bool value) {
  Raw(name, value ? "true" : "false");
}

void ObjectWriter::Time(std::string_view name, std::optional<WallTime> value) {
  if (!value) return Raw(name, {});
  Name(name);
  out_ += '"';
  out_ += FormatRfc3339(*value);
  out_ += '"';
}

void ObjectWriter::Texts(std::string_view name, std::span<const std::string> values) {
  AppendList(*this, out_, name, values,
             [&](const std::string& value) { AppendJsonString(out_, value); });
}

void ObjectWriter::Raw(std::string_view name, std::string_view json) {
  Name(name);
  out_ += json.empty() ? std::string_view("null") : json;
}

std::string KeyJson(const key::Record& record, WallTime now) {
  std::string out;
  ObjectWriter object(out);
  AppendKeyFields(object, out, record, now, nullptr);
  object.End();
  return out;
}

std::string KeyListJson(const service::ListResult& result, WallTime now) {
  std::string out;
  out.reserve(64 + result.keys.size() * 640);
  ObjectWriter object(out);
  AppendList(object, out, "keys", result.keys,
             [&](const key::Record& record) { out += KeyJson(record, now); });
  object.TextOrNull("next_cursor", result.next_cursor.value_or(""));
  object.Time("usage_complete_through", result.usage_complete_through);
  object.End();
  return out;
}

std::string UpdatedKeyJson(const service::KeyResult& result, Answered answered, WallTime now) {
  std::string out;
  ObjectWriter object(out);
  AppendKeyFields(object, out, result.record, now, nullptr);
  object.Bool("enforced", result.enforcement.is_enforced);
  AppendEnforcement(object, out, result.enforcement, answered);
  object.End();
  return out;
}

std::string CreatedKeyJson(const service::CreatedKey& created, Answered answered, WallTime now) {
  Gapped gapped;
  std::string& out = gapped.text;
  ObjectWriter object(out);
  AppendKeyFields(object, out, created.record, now, &gapped.gap);
  object.Bool("enforced", created.enforcement.is_enforced);
  AppendEnforcement(object, out, created.enforcement, answered);
  object.End();
  return Filled(gapped, created.raw_key);
}

std::string RevokedJson(const service::RevokeResult& result, Answered answered) {
  std::string out;
  ObjectWriter object(out);
  object.Text("id", result.record.id.ToString());
  object.Text("status", key::KeyStatusName(key::KeyStatus::kRevoked));
  object.Bool("enforced", result.enforcement.is_enforced);
  object.Time("revoked_at", result.record.revoked_at);
  object.TextOrNull("revoke_reason", result.record.revoke_reason);
  AppendList(object, out, "cascaded", result.cascaded,
             [&](const key::KeyId& id) { AppendJsonString(out, id.ToString()); });
  AppendEnforcement(object, out, result.enforcement, answered);
  object.End();
  return out;
}

std::string CreatedAccountJson(const service::CreatedAccount& created, WallTime now) {
  Gapped gapped;
  std::string& out = gapped.text;
  ObjectWriter object(out);
  AppendAccountFields(object, created.account);
  object.Name("key");
  ObjectWriter inner(out);
  AppendKeyFields(inner, out, created.key.record, now, &gapped.gap);
  inner.Bool("enforced", created.key.enforcement.is_enforced);
  AppendEnforcement(inner, out, created.key.enforcement, Answered::kEnforced);
  inner.End();
  object.End();
  return Filled(gapped, created.key.raw_key);
}

std::string AccountListJson(std::span<const store::Account> accounts) {
  std::string out;
  ObjectWriter object(out);
  AppendList(object, out, "accounts", accounts, [&](const store::Account& account) {
    ObjectWriter item(out);
    AppendAccountFields(item, account);
    item.End();
  });
  object.End();
  return out;
}

std::string AuditListJson(const service::AuditListResult& result) {
  std::string out;
  out.reserve(64 + result.records.size() * 640);
  ObjectWriter object(out);
  AppendList(object, out, "records", result.records, [&](const store::AuditRecord& record) {
    AppendAuditRecord(out, record, result.shows_chain);
  });
  object.TextOrNull("next_cursor", result.next_cursor.value_or(""));
  object.End();
  return out;
}

std::string AuditHeadJson(const store::AuditHead& head) {
  std::string out;
  ObjectWriter object(out);
  object.Number("number", head.number);
  object.Text("hash", key::ToHex(head.hash));
  object.End();
  return out;
}

std::string AuditVerdictJson(const store::AuditVerdict& verdict) {
  std::string out;
  ObjectWriter object(out);
  object.Bool("intact", verdict.is_intact);
  object.Number("checked", verdict.checked);
  object.Number("first_number", verdict.first_number);
  object.Raw("head", AuditHeadJson(verdict.head));
  object.TextOrNull("problem", verdict.problem);
  object.Bool("anchor_found", verdict.anchor_found);
  object.End();
  return out;
}

void WriteDecisionJson(Pen& pen, key::Decision decision, const index::View& key) {
  if (!key && decision == key::Decision::kValid) decision = key::Decision::kNotFound;
  if (decision != key::Decision::kValid) {
    pen.Text(R"({"valid":false,"code":")");
    pen.Text(key::DecisionName(decision));
    return pen.Text(R"("})");
  }
  const index::Facts facts = key.facts();
  pen.Text(R"({"valid":true,"code":"valid","key_id":")");
  key.id().WriteTo(pen);
  pen.Text(R"(","name":)");
  WriteJsonString(pen, facts.name);
  pen.Text(R"(,"mode":")");
  pen.Text(key::ModeName(key.mode()));
  pen.Text(R"(","scopes":[)");
  WriteWords(pen, key.scopes());
  pen.Text(R"(],"owner":)");
  if (facts.owner.empty()) {
    pen.Text("null");
  } else {
    WriteJsonString(pen, facts.owner);
  }
  pen.Text(R"(,"metadata":)");
  pen.Text(facts.metadata.empty() ? std::string_view("null") : facts.metadata);
  pen.Text(R"(,"expires_at":)");
  WriteTimeOrNull(pen, facts.expires_at);
  pen.Character('}');
}

size_t DecisionJsonBound(const index::View& key) {
  constexpr size_t kFixed = 256;  // names, punctuation, code, mode, id, time
  if (!key) return kFixed;
  const index::Facts facts = key.facts();
  const size_t scopes = 3 * key.scopes().size();  // of one character each: quotes and a comma more
  return kFixed + JsonStringBound(facts.name) + scopes + JsonStringBound(facts.owner) +
         facts.metadata.size();
}

}  // namespace p402::api
