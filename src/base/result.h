#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

// The names of floor 0 live in p402 itself: every floor above uses them in every line.
namespace p402 {

// What kind of failure this is. Every code is mapped to an HTTP status and to an exit code in
// exactly one switch without `default`. Never renumber: the values are logged.
enum class ErrorCode : uint8_t {
  kInvalidArgument = 1,    // the caller's input is wrong; `field` names what
  kUnauthenticated = 2,    // no valid credential (any more)
  kPermissionDenied = 3,   // a valid credential that may not do this
  kNotFound = 4,           // does not exist, or may not be seen
  kConflict = 5,           // does not fit the present state
  kTooLarge = 6,           // over a limit of limits.h
  kResourceExhausted = 7,  // throttled, or out of disk or memory
  kUnavailable = 8,        // cannot be answered now; a retry may succeed
  kLocked = 9,             // somebody else holds the data folder
  kCorrupt = 10,           // bytes at rest that cannot be right
  kIo = 11,                // the operating system failed an operation
  kInternal = 12,          // a defect that was contained
};

// A failure. `detail` goes to the log; `public_message` may go to a client; a secret goes to
// neither.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  // A stable, documented token such as "revoked" or "already_created" that becomes `code` in a
  // problem document; empty: the default of `code`. Points to static storage.
  std::string_view reason = {};
  std::string detail = {};
  std::string public_message = {};
  // The offending field of the input, the scope that is missing, or the key id that exists already.
  std::string field = {};
};

// A value or an Error. Ignoring one is a warning, and warnings are errors.
template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

using Status = Result<void>;
using Failure = std::unexpected<Error>;

// Shorthands for the two most frequent failures.
inline Failure InvalidArgument(std::string field, std::string public_message) {
  return Failure(Error{.code = ErrorCode::kInvalidArgument,
                       .detail = {},
                       .public_message = std::move(public_message),
                       .field = std::move(field)});
}
inline Failure Fail(ErrorCode code, std::string detail) {
  return Failure(Error{.code = code, .detail = std::move(detail)});
}

}  // namespace p402

#define P402_CONCAT_INNER(a, b) a##b
#define P402_CONCAT(a, b) P402_CONCAT_INNER(a, b)
#define P402_TRY_VALUE(result, value, expr)                       \
  auto result = (expr);                                           \
  if (!result) return ::p402::Failure(std::move(result).error()); \
  value = *std::move(result)
#define P402_TRY_VOID(expr)                    \
  if (auto p402_status = (expr); !p402_status) \
  return ::p402::Failure(std::move(p402_status).error())
#define P402_TRY_PICK(_1, _2, name, ...) name
#define P402_TRY_2(value, expr) P402_TRY_VALUE(P402_CONCAT(p402_result_, __LINE__), value, expr)

// P402_TRY(auto x, F()) returns F's error from this function, or binds its value.
// P402_TRY(F()) is the same for a Status.
#define P402_TRY(...) P402_TRY_PICK(__VA_ARGS__, P402_TRY_2, P402_TRY_VOID)(__VA_ARGS__)
