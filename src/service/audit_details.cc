#include "service/audit_details.h"

#include "base/text.h"

namespace p402::service {

AuditDetails& AuditDetails::Text(std::string_view name, std::string_view value) {
  Name(name);
  AppendJsonString(json_, value);
  return *this;
}

AuditDetails& AuditDetails::Number(std::string_view name, int64_t value) {
  Name(name);
  json_ += std::to_string(value);
  return *this;
}

AuditDetails& AuditDetails::Flag(std::string_view name, bool value) {
  Name(name);
  json_ += value ? "true" : "false";
  return *this;
}

AuditDetails& AuditDetails::Texts(std::string_view name, std::span<const std::string> values) {
  Name(name);
  json_ += '[';
  bool is_first = true;
  for (const auto& value : values) {
    if (!std::exchange(is_first, false)) json_ += ',';
    AppendJsonString(json_, value);
  }
  json_ += ']';
  return *this;
}

void AuditDetails::Name(std::string_view name) {
  if (json_.size() > 1) json_ += ',';
  AppendJsonString(json_, name);
  json_ += ':';
}

}  // namespace p402::service
