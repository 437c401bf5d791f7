#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "base/pen.h"
#include "index/view.h"
#include "key/decision.h"
#include "key/record.h"
#include "service/accounts.h"
#include "service/audit.h"
#include "service/keys.h"
#include "store/store.h"

namespace p402::api {

// Writes one JSON object, member by member, to the end of a text. `name` is written as it is.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  // Ends the object.
  void End() { out_ += '}'; }

  void Text(std::string_view name, std::string_view value);
  void TextOrNull(std::string_view name, std::string_view value);  // empty: null
  void Number(std::string_view name, int64_t value);
  void Bool(std::string_view name, bool value);
  void Time(std::string_view name, std::optional<WallTime> value);
  void Texts(std::string_view name, std::span<const std::string> values);
  // `json` is written as it is; empty: null.
  void Raw(std::string_view name, std::string_view json);
  // Opens a member; the caller appends its value.
  void Name(std::string_view name);

 private:
  std::string& out_;
  bool is_first_ = true;
};

// Who is told about an enforcement, and how much (R1).
enum class Answered : uint8_t {
  kEnforced,   // 200, 201
  kCommitted,  // 202: with the nodes that are still pending
};

// The key object. Times are whole seconds (A6).
std::string KeyJson(const key::Record& record, WallTime now);
std::string KeyListJson(const service::ListResult& result, WallTime now);
std::string UpdatedKeyJson(const service::KeyResult& result, Answered answered, WallTime now);
std::string RevokedJson(const service::RevokeResult& result, Answered answered);

// K4: the texts that hold a raw key. Each is put together in one piece of memory, so that whoever
// wipes the result has wiped every copy.
std::string CreatedKeyJson(const service::CreatedKey& created, Answered answered, WallTime now);
std::string CreatedAccountJson(const service::CreatedAccount& created, WallTime now);

std::string AccountListJson(std::span<const store::Account> accounts);
std::string AuditListJson(const service::AuditListResult& result);
std::string AuditVerdictJson(const store::AuditVerdict& verdict);
std::string AuditHeadJson(const store::AuditHead& head);

// V1, into room of at most DecisionJsonBound bytes. `key` is only looked at for kValid.
// Cost: no allocation.
void WriteDecisionJson(Pen& pen, key::Decision decision, const index::View& key);
size_t DecisionJsonBound(const index::View& key);

}  // namespace p402::api
