#include "api/problem.h"

#include <boost/json/parse.hpp>
#include <set>

#include "gtest/gtest.h"

namespace p402::api {
namespace {

TEST(Problem, A7_IsRfc9457WithCodeAndRequestId) {
  const Problem problem = ProblemOf(InvalidArgument("name", "\"name\" is too long.").error());
  EXPECT_EQ(ProblemJson(problem, "req_1"),
            R"({"type":"about:blank","title":"Bad Request","status":400,)"
            R"("detail":"\"name\" is too long.","code":"invalid_request","request_id":"req_1",)"
            R"("field":"name"})");
}

TEST(Problem, B_TheDetailNamesTheField) {
  EXPECT_EQ(ProblemOf(InvalidArgument("scopes", "\"A\" is no scope").error()).detail,
            "scopes: \"A\" is no scope");
  EXPECT_EQ(ProblemOf(InvalidArgument("", "no JSON").error()).detail, "no JSON");
}

TEST(Problem, A7_EveryErrorCodeHasADocumentedCode) {
  for (int value = 1; value <= 12; ++value) {
    const Problem problem = ProblemOf(Error{.code = static_cast<ErrorCode>(value)});
    EXPECT_GE(problem.status, 400) << value;
    EXPECT_FALSE(problem.detail.empty()) << value;
    bool is_documented = false;
    for (const ProblemCode& known : ProblemCodes()) {
      is_documented |= known.code == problem.code && known.status == problem.status;
    }
    EXPECT_TRUE(is_documented) << problem.code;
  }
}

TEST(Problem, A7_EveryRefusalHasTheStatusThatNetSays) {
  for (int value = 0; value <= static_cast<int>(net::Refusal::kOverloaded); ++value) {
    const auto refusal = static_cast<net::Refusal>(value);
    const Problem problem = ProblemOf(refusal, "why");
    EXPECT_EQ(problem.status, net::RefusalStatus(refusal));
    EXPECT_FALSE(problem.detail.empty());
  }
}

TEST(Problem, A7_NoInternalTextReachesAClient) {
  for (int value = 1; value <= 12; ++value) {
    const Problem problem =
        ProblemOf(Error{.code = static_cast<ErrorCode>(value), .detail = "SQL logic error"});
    EXPECT_EQ(ProblemJson(problem, "req_1").find("SQL"), std::string::npos);
  }
  const Problem defect =
      ProblemOf(Error{.code = ErrorCode::kInternal, .public_message = "src/x.cc:1"});
  EXPECT_EQ(defect.detail.find("src"), std::string::npos);
}

TEST(Problem, A8_NotFoundIsAlwaysTheSame) {
  const Error missing{.code = ErrorCode::kNotFound};
  const Error hidden{.code = ErrorCode::kNotFound,
                     .detail = "of another account",
                     .public_message = "of another account",
                     .field = "id"};
  EXPECT_EQ(ProblemJson(ProblemOf(missing), "r"), ProblemJson(ProblemOf(hidden), "r"));
}

struct ReasonCase {
  ErrorCode code;
  std::string_view reason;
  int status;
};

TEST(Problem, A7_AReasonIsTheCode) {
  const ReasonCase cases[] = {
      {ErrorCode::kUnauthenticated, "revoked", 401},
      {ErrorCode::kUnauthenticated, "not_found", 401},
      {ErrorCode::kUnauthenticated, "ip_not_allowed", 401},
      {ErrorCode::kPermissionDenied, "insufficient_scope", 403},
      {ErrorCode::kPermissionDenied, "escalation", 403},
      {ErrorCode::kConflict, "already_created", 409},
      {ErrorCode::kConflict, "key_revoked", 409},
      {ErrorCode::kConflict, "idempotency_mismatch", 422},
      {ErrorCode::kInvalidArgument, "unsupported_media_type", 415},
      {ErrorCode::kResourceExhausted, "too_many_requests", 429},
      {ErrorCode::kUnavailable, "not_ready", 503},
  };
  for (const auto& c : cases) {
    const Problem problem = ProblemOf(Error{.code = c.code, .reason = c.reason});
    EXPECT_EQ(problem.status, c.status) << c.reason;
    EXPECT_EQ(problem.code, c.reason);
  }
  const Problem unknown = ProblemOf(Error{.code = ErrorCode::kConflict, .reason = "resurrection"});
  EXPECT_EQ(unknown.code, "conflict") << "an undocumented reason stays inside";
}

TEST(Problem, B_ChallengesFollowRfc6750) {
  EXPECT_EQ(NoCredentials().www_authenticate, R"(Bearer realm="p402")");
  const Error revoked{.code = ErrorCode::kUnauthenticated, .reason = "revoked"};
  EXPECT_EQ(ProblemOf(revoked).www_authenticate, R"(Bearer realm="p402", error="invalid_token")");
  const Error scope{
      .code = ErrorCode::kPermissionDenied, .reason = "insufficient_scope", .field = "keys:write"};
  EXPECT_EQ(ProblemOf(scope).www_authenticate,
            R"(Bearer realm="p402", error="insufficient_scope", scope="keys:write")");
  EXPECT_EQ(ProblemOf(scope).member, "needed_scope");
  const Error created{.code = ErrorCode::kConflict, .reason = "already_created", .field = "key_1"};
  EXPECT_EQ(ProblemOf(created).member, "key_id");
  EXPECT_EQ(ProblemOf(created).www_authenticate, "");
}

TEST(Problem, B_UnavailableSaysWhenToComeAgain) {
  EXPECT_TRUE(ProblemOf(Error{.code = ErrorCode::kUnavailable}).retry_after.has_value());
  EXPECT_TRUE(ProblemOf(net::Refusal::kOverloaded, "").retry_after.has_value());
}

TEST(Problem, R1_AChangeThatIsStoredButNotEnforcedSaysSo) {
  const Problem problem = ProblemOf(
      Error{.code = ErrorCode::kUnavailable, .public_message = "the change is stored, repeat it"});
  EXPECT_EQ(problem.detail, "the change is stored, repeat it");
}

TEST(Problem, A7_CodesAreUniquePerStatus) {
  std::set<std::pair<std::string_view, int>> seen;
  for (const ProblemCode& known : ProblemCodes()) {
    EXPECT_TRUE(seen.emplace(known.code, known.status).second) << known.code;
    EXPECT_NE(StatusTitle(known.status).empty(), true);
  }
}

}  // namespace
}  // namespace p402::api
