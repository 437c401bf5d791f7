#pragma once

#include "base/result.h"
#include "key/record.h"

namespace p402::key {

// What a key may do: the part of a record that A2 compares.
struct Grant {
  Mode mode = Mode::kLive;
  const ScopeSet& scopes;
  const CidrSet& allowed_cidrs;
  std::optional<WallTime> expires_at;
};
Grant GrantOf(const Record& record);

// A2: Ok if `result` lies within `caller`: its scopes are covered, it does not outlive it, its
// networks are within the caller's, and a test key makes only test keys.
// Errors: kPermissionDenied, reason "escalation", `field` and the public message name the first
// field that is wider.
Status CheckWithin(const Grant& result, const Grant& caller);

// A2: Ok if `caller` may act on `target` (PATCH, rotate, DELETE): the target is in its account, a
// test key acts only on test keys, and the target has no scope that the caller lacks. A key may
// always act on itself as far as this goes.
// Errors: kNotFound if the caller may not even see it (other account, or live seen by test);
// kPermissionDenied, reason "escalation".
Status CheckMayActOn(const Record& caller, const Record& target);

// True if `caller` may see `target` (A2, A8).
bool MaySee(const Record& caller, const Record& target);

// True if `after` is narrower than `before` in any way (a scope or network lost, an earlier expiry,
// disabled, revoked): such a change is restrictive. Widening only is permissive; neither is
// neutral.
bool IsRestrictive(const Record& before, const Record& after);
bool IsPermissive(const Record& before, const Record& after);

}  // namespace p402::key
