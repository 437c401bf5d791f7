#include "key/grant.h"

namespace p402::key {
namespace {

Failure Escalation(std::string field, std::string message) {
  return Failure(Error{.code = ErrorCode::kPermissionDenied,
                       .reason = "escalation",
                       .detail = "escalation: " + field,
                       .public_message = std::move(message),
                       .field = std::move(field)});
}

// No expiry is the latest one.
bool OutlivesBy(const std::optional<WallTime>& expiry, const std::optional<WallTime>& limit) {
  return limit && (!expiry || *expiry > *limit);
}

}  // namespace

Grant GrantOf(const Record& record) {
  return {.mode = record.mode,
          .scopes = record.scopes,
          .allowed_cidrs = record.allowed_cidrs,
          .expires_at = record.expires_at};
}

Status CheckWithin(const Grant& result, const Grant& caller) {
  if (caller.mode == Mode::kTest && result.mode != Mode::kTest) {
    return Escalation("mode", "a test key makes only test keys");
  }
  if (!caller.scopes.Includes(result.scopes)) {
    return Escalation("scopes", "the key would have a scope that the calling key lacks");
  }
  if (OutlivesBy(result.expires_at, caller.expires_at)) {
    return Escalation("expires_at", "the key would outlive the calling key");
  }
  if (!caller.allowed_cidrs.Includes(result.allowed_cidrs)) {
    return Escalation("allowed_cidrs",
                      "the key would be allowed from an address that the calling key is not");
  }
  return {};
}

bool MaySee(const Record& caller, const Record& target) {
  return caller.account == target.account &&
         (caller.mode == Mode::kLive || target.mode == Mode::kTest);
}

Status CheckMayActOn(const Record& caller, const Record& target) {
  if (!MaySee(caller, target)) {
    return Fail(ErrorCode::kNotFound, "outside of what the caller may see");
  }
  if (caller.id == target.id || caller.scopes.Includes(target.scopes)) return {};
  return Escalation("scopes", "the key has a scope that the calling key lacks");
}

bool IsRestrictive(const Record& before, const Record& after) {
  return (!before.revoked_at && after.revoked_at) || (!before.is_disabled && after.is_disabled) ||
         !after.scopes.Includes(before.scopes) ||
         !after.allowed_cidrs.Includes(before.allowed_cidrs) ||
         OutlivesBy(before.expires_at, after.expires_at);
}

bool IsPermissive(const Record& before, const Record& after) {
  return (before.is_disabled && !after.is_disabled) || !before.scopes.Includes(after.scopes) ||
         !before.allowed_cidrs.Includes(after.allowed_cidrs) ||
         OutlivesBy(after.expires_at, before.expires_at);
}

}  // namespace p402::key
