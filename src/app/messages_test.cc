#include "app/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace p402::app {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::string_view kRawKey = "p402_live_0123456789abcdefghijABCDEFGHIJ0123456789";

FirstKey SomeKey() {
  return {.account_id = "acct_1", .key_id = "key_1", .raw_key = Secret::CopyOf(kRawKey)};
}

TEST(Messages, C1_TheFirstKeyCanBeCopied) {
  const std::string text = FirstKeyText(SomeKey(), "/data", "http://127.0.0.1:4020");
  const std::string key(kRawKey);
  EXPECT_THAT(text, AllOf(HasSubstr("\n  " + key + "\n"), HasSubstr("a new store in /data,"),
                          HasSubstr("\n  export P402_API_KEY=" + key + "\n"),
                          HasSubstr("\n  echo \"Authorization: Bearer $P402_API_KEY\" | "
                                    "curl -H @- http://127.0.0.1:4020/api/v2/keys\n")));
}

TEST(Messages, C1_NobodyIsToldToSendTheFirstKeyWhereNothingOfOursAnswers) {
  const std::string text = FirstKeyText(SomeKey(), "/data", "");
  EXPECT_NE(text.find("export P402_API_KEY="), std::string::npos);
  EXPECT_EQ(text.find("curl"), std::string::npos);
}

TEST(Messages, C2_TheFirstKeyAsJson) {
  EXPECT_EQ(FirstKeyJson(SomeKey()), "{\"account_id\":\"acct_1\",\"key_id\":\"key_1\",\"key\":\"" +
                                         std::string(kRawKey) + "\"}\n");
}

TEST(Messages, C1_Progress) {
  EXPECT_EQ(ProgressText({.loaded = 1'200'000, .total = 10'000'000}),
            "Loading keys: 1,200,000 of 10,000,000 (12 %)");
  EXPECT_EQ(ProgressText({.loaded = 0, .total = 0}), "Loading keys: 0");
  EXPECT_EQ(ProgressText({.loaded = 999, .total = 1000}), "Loading keys: 999 of 1,000 (99 %)");
}

TEST(Messages, C5_RestoreReport) {
  store::sqlite::RestoreReport report{
      .keys = 3,
      .backup_at = *ParseRfc3339("2026-04-15T12:00:00Z"),
      .journal_until = ParseRfc3339("2026-04-16T12:00:00Z"),
      .revoked_again = {key::KeyId{}},
      .restricted_again = {*key::KeyId::Parse("key_00000000000000000000000001")}};
  EXPECT_EQ(RestoreJson(report),
            "{\"keys\":3,\"backup_at\":\"2026-04-15T12:00:00Z\",\"journal_until\":"
            "\"2026-04-16T12:00:00Z\",\"revoked_again\":[\"key_00000000000000000000000000\"],"
            "\"restricted_again\":[\"key_00000000000000000000000001\"]}\n");
  EXPECT_THAT(RestoreText(report, false),
              AllOf(HasSubstr("until 2026-04-16T12:00:00Z, revoked 1 of them again and "
                              "restricted 1."),
                    HasSubstr("revoked key_00000000000000000000000000"),
                    HasSubstr("restricted key_"
                              "00000000000000000000000001"),
                    HasSubstr("widened or extended since is lost")));
  report.journal_until = std::nullopt;
  report.revoked_again.clear();
  report.restricted_again.clear();
  EXPECT_THAT(RestoreText(report, true),
              HasSubstr("revoked or restricted after 2026-04-15T12:00:00Z may be active"));
  EXPECT_THAT(RestoreText(report, false), HasSubstr("is empty"));
  EXPECT_THAT(RestoreJson(report),
              HasSubstr("\"journal_until\":null,\"revoked_again\":[],\"restricted_again\":[]"));
}

TEST(Messages, S1_Verdict) {
  store::AuditVerdict verdict{
      .is_intact = true, .checked = 2, .first_number = 1, .head = {.number = 2}};
  EXPECT_THAT(VerdictText(verdict, false), HasSubstr("intact: 2 records\nhead: 2 0000"));
  EXPECT_THAT(VerdictText(verdict, true), HasSubstr("NOT in the chain"));
  verdict.anchor_found = true;
  EXPECT_THAT(VerdictText(verdict, true), HasSubstr("anchor: found"));
  EXPECT_THAT(VerdictJson(verdict), AllOf(HasSubstr("{\"intact\":true,\"checked\":2,"),
                                          HasSubstr("\"problem\":null,\"anchor_found\":true}")));
  verdict.is_intact = false;
  verdict.problem = "record \"2\"";
  EXPECT_THAT(VerdictText(verdict, false), HasSubstr("BROKEN: record \"2\""));
  EXPECT_THAT(VerdictJson(verdict), HasSubstr("\"problem\":\"record \\\"2\\\"\""));
}

}  // namespace
}  // namespace p402::app
