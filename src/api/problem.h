#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/message.h"

namespace p402::api {

// A failure as a client sees it (A7): RFC 9457, application/problem+json.
struct Problem {
  int status = 500;
  std::string_view code = "internal";  // one of ProblemCodes()
  std::string detail = {};
  // An extension member: "field", "needed_scope" or "key_id"; empty: none.
  std::string_view member = {};
  std::string value = {};
  std::optional<std::chrono::seconds> retry_after = {};
  std::string www_authenticate = {};  // empty: no such header
};

// One documented code. A status may stand for several codes, and "not_found" for two statuses (404:
// no such thing; 401: the presented key is unknown).
struct ProblemCode {
  std::string_view code;
  int status;
  std::string_view meaning;  // fit for the client; the detail when nothing better is known
};
std::span<const ProblemCode> ProblemCodes();

// The name of a status as RFC 9110 has it.
std::string_view StatusTitle(int status);

// Nothing of Error::detail gets into it (A7).
Problem ProblemOf(const Error& error);
Problem ProblemOf(net::Refusal refusal, std::string_view detail);
// One that is known by its code and status alone.
Problem ProblemOf(std::string_view code, int status);
// 401 without credentials: a challenge that says nothing of an error (RFC 6750 section 3.1).
Problem NoCredentials();

// The document.
std::string ProblemJson(const Problem& problem, std::string_view request_id);

}  // namespace p402::api
