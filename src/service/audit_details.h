#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace p402::service {

// Builds the `details` of an audit record: a compact JSON object. What goes in: names of fields,
// statuses, scopes, ids. What never does: a raw key, a digest, metadata.
class AuditDetails {
 public:
  AuditDetails& Text(std::string_view name, std::string_view value);
  AuditDetails& Number(std::string_view name, int64_t value);
  AuditDetails& Flag(std::string_view name, bool value);
  AuditDetails& Texts(std::string_view name, std::span<const std::string> values);
  std::string Build() && { return std::move(json_) + "}"; }

 private:
  void Name(std::string_view name);
  std::string json_ = "{";
};

}  // namespace p402::service
