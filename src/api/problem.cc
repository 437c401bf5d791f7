#include "api/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace p402::api {
namespace {

constexpr std::array kCodes = std::to_array<ProblemCode>({
    {"invalid_request", 400, "The request is not understood."},
    {"unauthenticated", 401, "This needs an API key: Authorization: Bearer <key>."},
    {"malformed", 401, "What was presented is not an API key of this server."},
    {"not_found", 401, "The presented key is unknown."},
    {"revoked", 401, "The presented key has been revoked."},
    {"disabled", 401, "The presented key is disabled."},
    {"expired", 401, "The presented key has expired."},
    {"ip_not_allowed", 401, "The presented key may not be used from this address."},
    {"insufficient_scope", 403, "The presented key lacks a scope that this needs."},
    {"escalation", 403, "A key may not grant, or act on, more than it holds itself."},
    {"wrong_mode", 403, "The presented key is of another mode than this needs."},
    {"not_found", 404, "There is no such thing, or this key may not see it."},
    {"method_not_allowed", 405, "This path does not take that method; Allow names those it does."},
    {"already_created", 409, "An earlier request with this Idempotency-Key created a key."},
    {"key_revoked", 409, "The key has been revoked, and that is final."},
    {"key_expired", 409, "The key has expired."},
    {"conflict", 409, "This does not fit the present state."},
    {"body_too_large", 413, "The body is larger than 64 KiB."},
    {"uri_too_long", 414, "The request target is longer than 8 KiB."},
    {"unsupported_media_type", 415, "The body must be application/json in UTF-8."},
    {"expectation_failed", 417, "The only expectation that is known is 100-continue."},
    {"idempotency_mismatch", 422, "This Idempotency-Key came with another body before."},
    {"too_many_requests", 429, "Too many failed authentications from this address."},
    {"header_too_large", 431, "The header block is larger than 16 KiB."},
    {"internal", 500, "Something went wrong here. The request id finds it in the log."},
    {"unsupported_transfer_encoding", 501, "The only transfer coding that is known is chunked."},
    {"not_ready", 503, "This server cannot answer yet, or no longer. Try again soon."},
    {"store_unavailable", 503, "The store cannot be used now. Nothing was done by halves."},
    {"unsupported_http_version", 505, "This server speaks HTTP/1.0 and HTTP/1.1."},
});

struct Title {
  int status;
  std::string_view text;
};
constexpr std::array kTitles = std::to_array<Title>({
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
});

constexpr std::chrono::seconds kRetrySoon{1};

struct Mapping {
  int status;
  std::string_view code;
};

// Without `default`: a new ErrorCode does not compile until it is mapped.
Mapping MapCode(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return {400, "invalid_request"};
    case ErrorCode::kUnauthenticated:
      return {401, "unauthenticated"};
    case ErrorCode::kPermissionDenied:
      return {403, "escalation"};
    case ErrorCode::kNotFound:
      return {404, "not_found"};
    case ErrorCode::kConflict:
      return {409, "conflict"};
    case ErrorCode::kTooLarge:
      return {413, "body_too_large"};
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kUnavailable:
    case ErrorCode::kLocked:
    case ErrorCode::kIo:
      return {503, "store_unavailable"};
    case ErrorCode::kCorrupt:
    case ErrorCode::kInternal:
      return {500, "internal"};
  }
  return {500, "internal"};
}

Mapping MapRefusal(net::Refusal refusal) {
  switch (refusal) {
    case net::Refusal::kBadFraming:
      return {400, "invalid_request"};
    case net::Refusal::kHeadTooLarge:
      return {431, "header_too_large"};
    case net::Refusal::kTargetTooLong:
      return {414, "uri_too_long"};
    case net::Refusal::kBodyTooLarge:
      return {413, "body_too_large"};
    case net::Refusal::kUnsupportedVersion:
      return {505, "unsupported_http_version"};
    case net::Refusal::kUnsupportedExpectation:
      return {417, "expectation_failed"};
    case net::Refusal::kUnsupportedTransferEncoding:
      return {501, "unsupported_transfer_encoding"};
    case net::Refusal::kOverloaded:
      return {503, "not_ready"};
  }
  return {500, "internal"};
}

const ProblemCode* FindCode(std::string_view code, int status) {
  const auto* found = std::ranges::find_if(kCodes, [&](const ProblemCode& known) {
    return known.code == code && known.status == status;
  });
  return found == kCodes.end() ? nullptr : found;
}

// A reason of a lower floor is a code if it is documented; it may bring its own status.
Mapping MapReason(const Error& error) {
  const Mapping mapped = MapCode(error.code);
  if (error.reason.empty()) return mapped;
  if (FindCode(error.reason, mapped.status) != nullptr) return {mapped.status, error.reason};
  const auto* found = std::ranges::find(kCodes, error.reason, &ProblemCode::code);
  return found == kCodes.end() ? mapped : Mapping{found->status, found->code};
}

std::string_view MemberName(std::string_view code) {
  if (code == "insufficient_scope") return "needed_scope";
  if (code == "already_created") return "key_id";
  return "field";
}

std::string Challenge(const Problem& problem) {
  if (problem.status == 401) return R"(Bearer realm="p402", error="invalid_token")";
  if (problem.code != "insufficient_scope") return {};
  // A scope cannot hold a quote or a control character: service has checked its form.
  return fmt::format(R"(Bearer realm="p402", error="insufficient_scope", scope="{}")",
                     problem.value);
}

}  // namespace

std::span<const ProblemCode> ProblemCodes() {
  return kCodes;
}

std::string_view StatusTitle(int status) {
  const auto* found = std::ranges::find(kTitles, status, &Title::status);
  return found == kTitles.end() ? "Internal Server Error" : found->text;
}

Problem ProblemOf(std::string_view code, int status) {
  const ProblemCode* known = FindCode(code, status);
  Problem problem{.status = status, .code = code};
  if (known != nullptr) {
    problem.code = known->code;
    problem.detail = known->meaning;
  }
  if (status == 503 || status == 429) problem.retry_after = kRetrySoon;
  return problem;
}

Problem ProblemOf(const Error& error) {
  const Mapping mapped = MapReason(error);
  Problem problem = ProblemOf(mapped.code, mapped.status);
  // A8: what may not be seen and what does not exist must not differ in a single byte. A defect is
  // our own business.
  const bool is_fixed_text = mapped.status == 404 || mapped.status == 500;
  if (!is_fixed_text) {
    if (!error.public_message.empty()) problem.detail = error.public_message;
    if (!error.field.empty()) {
      problem.member = MemberName(problem.code);
      problem.value = error.field;
    }
    // B: the detail names the field, whoever worded it.
    const bool is_named = problem.detail.find(error.field) != std::string::npos;
    if (problem.code == "invalid_request" && !is_named) {
      problem.detail = fmt::format("{}: {}", error.field, problem.detail);
    }
  }
  problem.www_authenticate = Challenge(problem);
  return problem;
}

Problem ProblemOf(net::Refusal refusal, std::string_view detail) {
  const Mapping mapped = MapRefusal(refusal);
  Problem problem = ProblemOf(mapped.code, mapped.status);
  if (refusal == net::Refusal::kBadFraming && !detail.empty()) problem.detail = detail;
  return problem;
}

Problem NoCredentials() {
  Problem problem = ProblemOf("unauthenticated", 401);
  problem.www_authenticate = R"(Bearer realm="p402")";
  return problem;
}

std::string ProblemJson(const Problem& problem, std::string_view request_id) {
  std::string out;
  out.reserve(256 + problem.detail.size() + problem.value.size());
  out += R"({"type":"about:blank","title":)";
  AppendJsonString(out, StatusTitle(problem.status));
  out += fmt::format(R"(,"status":{},"detail":)", problem.status);
  AppendJsonString(out, problem.detail);
  out += R"(,"code":)";
  AppendJsonString(out, problem.code);
  out += R"(,"request_id":)";
  AppendJsonString(out, request_id);
  if (!problem.member.empty()) {
    out += ',';
    AppendJsonString(out, problem.member);
    out += ':';
    AppendJsonString(out, problem.value);
  }
  out += '}';
  return out;
}

}  // namespace p402::api
