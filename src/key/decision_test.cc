#include "key/decision.h"

#include <gtest/gtest.h>

#include <functional>

namespace p402::key {
namespace {

constexpr WallTime kNow{Millis(1'776'254'400'000)};

Record Live() {
  Record record;
  record.id.uuid[15] = 1;
  record.account.uuid[15] = 2;
  record.scopes = *ScopeSet::ParseText("keys:read models:read");
  return record;
}

AccountId Account(uint8_t last) {
  AccountId id;
  id.uuid[15] = last;
  return id;
}

TEST(Decide, V1_EachCode) {
  const std::vector<std::string> wanted = {"models:read"};
  const std::vector<std::string> missing = {"models:read", "models:write"};
  const std::vector<std::string> office = {"10.0.0.0/8"};
  const auto at = IpAddress::Parse("10.1.2.3");
  const auto elsewhere = IpAddress::Parse("192.0.2.1");
  struct Row {
    const char* name;
    std::function<void(Record&)> change;
    Question question;
    Decision expected;
  };
  const Row rows[] = {
      {"plain", [](Record&) {}, {}, Decision::kValid},
      {"account", [](Record&) {}, {.account = Account(2)}, Decision::kValid},
      {"other account", [](Record&) {}, {.account = Account(3)}, Decision::kNotFound},
      {"scope", [](Record&) {}, {.scopes = wanted}, Decision::kValid},
      {"lacks scope", [](Record&) {}, {.scopes = missing}, Decision::kInsufficientScope},
      {"mode", [](Record&) {}, {.mode = Mode::kLive}, Decision::kValid},
      {"wrong mode", [](Record&) {}, {.mode = Mode::kTest}, Decision::kWrongMode},
      {"revoked", [](Record& r) { r.revoked_at = kNow + Millis(1); }, {}, Decision::kRevoked},
      {"disabled", [](Record& r) { r.is_disabled = true; }, {}, Decision::kDisabled},
      {"expires later", [](Record& r) { r.expires_at = kNow + Millis(1); }, {}, Decision::kValid},
      {"expires now", [](Record& r) { r.expires_at = kNow; }, {}, Decision::kExpired},
      {"in network",
       [&](Record& r) { r.allowed_cidrs = *CidrSet::Parse(office); },
       {.ip = at},
       Decision::kValid},
      {"elsewhere",
       [&](Record& r) { r.allowed_cidrs = *CidrSet::Parse(office); },
       {.ip = elsewhere},
       Decision::kIpNotAllowed},
      {"unknown address",
       [&](Record& r) { r.allowed_cidrs = *CidrSet::Parse(office); },
       {},
       Decision::kIpNotAllowed},
  };
  for (const Row& row : rows) {
    Record record = Live();
    row.change(record);
    EXPECT_EQ(Decide(record, row.question, kNow), row.expected) << row.name;
  }
}

// Each reason hides those after it: take them away one by one.
TEST(Decide, V1_TheOrderOfReasons) {
  const std::vector<std::string> missing = {"x"};
  const std::vector<std::string> office = {"10.0.0.0/8"};
  Record record = Live();
  record.revoked_at = kNow;
  record.expires_at = kNow;
  record.is_disabled = true;
  record.mode = Mode::kTest;
  record.allowed_cidrs = *CidrSet::Parse(office);
  Question question{.account = Account(3), .mode = Mode::kLive, .scopes = missing};
  EXPECT_EQ(Decide(record, question, kNow), Decision::kNotFound);
  question.account = Account(2);
  EXPECT_EQ(Decide(record, question, kNow), Decision::kRevoked);
  record.revoked_at.reset();
  EXPECT_EQ(Decide(record, question, kNow), Decision::kExpired);
  record.expires_at.reset();
  EXPECT_EQ(Decide(record, question, kNow), Decision::kDisabled);
  record.is_disabled = false;
  EXPECT_EQ(Decide(record, question, kNow), Decision::kWrongMode);
  record.mode = Mode::kLive;
  EXPECT_EQ(Decide(record, question, kNow), Decision::kIpNotAllowed);
  record.allowed_cidrs = {};
  EXPECT_EQ(Decide(record, question, kNow), Decision::kInsufficientScope);
  question.scopes = {};
  EXPECT_EQ(Decide(record, question, kNow), Decision::kValid);
}

// Every pair of two reasons: the earlier one is answered.
TEST(Decide, V1_OfTwoReasonsTheEarlierOneIsAnswered) {
  const std::vector<std::string> missing = {"x"};
  const std::vector<std::string> office = {"10.0.0.0/8"};
  struct Reason {
    Decision decision;
    std::function<void(Record&, Question&)> apply;
  };
  const Reason reasons[] = {
      {Decision::kNotFound, [](Record&, Question& q) { q.account = Account(3); }},
      {Decision::kRevoked, [](Record& r, Question&) { r.revoked_at = kNow; }},
      {Decision::kExpired, [](Record& r, Question&) { r.expires_at = kNow; }},
      {Decision::kDisabled, [](Record& r, Question&) { r.is_disabled = true; }},
      {Decision::kWrongMode, [](Record&, Question& q) { q.mode = Mode::kTest; }},
      {Decision::kIpNotAllowed,
       [&](Record& r, Question&) { r.allowed_cidrs = *CidrSet::Parse(office); }},
      {Decision::kInsufficientScope, [&](Record&, Question& q) { q.scopes = missing; }},
  };
  for (size_t first = 0; first < std::size(reasons); ++first) {
    for (size_t second = first; second < std::size(reasons); ++second) {
      Record record = Live();
      Question question;
      reasons[second].apply(record, question);
      reasons[first].apply(record, question);
      EXPECT_EQ(Decide(record, question, kNow), reasons[first].decision) << first << second;
    }
  }
}

TEST(Decide, A2_TheStarHasEveryScope) {
  Record record = Live();
  record.scopes = *ScopeSet::ParseText("*");
  const std::vector<std::string> any = {"models:read", "x"};
  EXPECT_EQ(Decide(record, {.scopes = any}, kNow), Decision::kValid);
}

TEST(Decide, NamesAreThoseOfTheApi) {
  const char* names[] = {"valid",   "malformed",          "not_found",  "revoked",       "disabled",
                         "expired", "insufficient_scope", "wrong_mode", "ip_not_allowed"};
  for (size_t i = 0; i < std::size(names); ++i) {
    EXPECT_EQ(DecisionName(static_cast<Decision>(i)), names[i]);
  }
}

}  // namespace
}  // namespace p402::key
