#include "service/fields.h"

#include <fmt/format.h>

#include "base/limits.h"
#include "base/text.h"

namespace p402::service {
namespace {

// A year: a longer grace is a key that was not rotated.
constexpr Millis kLongestGrace = std::chrono::hours(24 * 365);

bool IsPlainText(std::string_view text) {
  return IsValidUtf8(text) && !HasControlCharacter(text);
}

Status CheckText(std::string_view field, std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes && IsPlainText(text)) return {};
  return InvalidArgument(
      std::string(field),
      fmt::format("{} must be at most {} bytes of UTF-8 without control characters", field,
                  max_bytes));
}

}  // namespace

Status CheckName(std::string_view name, size_t max_characters) {
  if (!name.empty() && IsPlainText(name) && CountCodePoints(name) <= max_characters) return {};
  return InvalidArgument(
      "name", fmt::format("name must be 1 to {} characters of UTF-8 without control characters",
                          max_characters));
}

Status CheckOwner(std::string_view owner) {
  return CheckText("owner", owner, limits::kOwnerBytes);
}

Status CheckMetadata(std::string_view metadata) {
  if (metadata.size() <= limits::kMetadataBytes) return {};
  return InvalidArgument(
      "metadata", fmt::format("metadata must be at most {} bytes of JSON", limits::kMetadataBytes));
}

Status CheckReason(std::string_view reason) {
  return CheckText("reason", reason, limits::kReasonBytes);
}

Status CheckIdempotencyKey(std::string_view idempotency_key) {
  if (!idempotency_key.empty() && idempotency_key.size() <= limits::kIdempotencyKeyBytes) return {};
  return InvalidArgument("Idempotency-Key", fmt::format("Idempotency-Key must be 1 to {} bytes",
                                                        limits::kIdempotencyKeyBytes));
}

Status CheckGrace(Millis grace) {
  if (grace >= Millis(0) && grace <= kLongestGrace) return {};
  return InvalidArgument("grace", "grace must be 0 to 365d");
}

Status CheckPruneAge(Millis older_than) {
  if (older_than >= limits::kAuditPruneMinAge) return {};
  return InvalidArgument("older_than", fmt::format("older_than must be at least {}h",
                                                   limits::kAuditPruneMinAge.count()));
}

Status CheckPageLimit(size_t limit) {
  if (limit >= 1 && limit <= limits::kPageMax) return {};
  return InvalidArgument("limit", fmt::format("limit must be 1 to {}", limits::kPageMax));
}

}  // namespace p402::service
