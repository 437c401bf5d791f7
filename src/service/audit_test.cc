#include "service/audit.h"

#include <algorithm>

#include "key/digest.h"
#include "service/audit_details.h"
#include "service/service_test.h"

namespace p402::service {
namespace {

class AuditTest : public ServiceTest {
 protected:
  Result<AuditListResult> ListAudit(const Caller& caller, AuditListRequest request = {}) {
    return Run<Result<AuditListResult>>(
        [&](auto done) { audit_.List(caller, std::move(request), std::move(done)); });
  }
  Result<store::AuditVerdict> Verify(const Caller& caller,
                                     std::optional<key::Digest> anchor = std::nullopt) {
    return Run<Result<store::AuditVerdict>>(
        [&](auto done) { audit_.Verify(caller, anchor, std::move(done)); });
  }
  Result<store::AuditHead> Anchor(const Caller& caller) {
    return Run<Result<store::AuditHead>>(
        [&](auto done) { audit_.Anchor(caller, std::move(done)); });
  }
  Result<int64_t> Prune(const Caller& caller, Millis older_than) {
    return Run<Result<int64_t>>(
        [&](auto done) { audit_.Prune(caller, older_than, std::move(done)); });
  }
  size_t AnchorLines() {
    const auto lines = log_.Lines();
    return static_cast<size_t>(
        std::ranges::count_if(lines, [](auto& line) { return line.starts_with("audit.anchor "); }));
  }
};

TEST_F(AuditTest, S1_ListIsNewestFirstInPages) {
  for (int i = 0; i < 4; ++i) ASSERT_EQ(Say(Create(root_, {.name = "n"})), "ok");
  const auto all = Trail();
  auto first = ListAudit(root_, {.limit = 4});
  ASSERT_EQ(Say(first), "ok");
  ASSERT_TRUE(first->next_cursor);
  auto second = ListAudit(root_, {.cursor = *first->next_cursor, .limit = 4});
  EXPECT_FALSE(second->next_cursor);
  auto joined = first->records;
  joined.insert(joined.end(), second->records.begin(), second->records.end());
  EXPECT_EQ(joined, all);
  EXPECT_EQ(ListAudit(root_, {.action = "account.create"})->records.size(), 1u);
  EXPECT_EQ(ListAudit(root_, {.subject = all[0].subject})->records.size(), 1u);
}

TEST_F(AuditTest, S1_AnUnknownActionIsRefusedWithTheKnownOnes) {
  const auto refused = ListAudit(root_, {.action = "key.revok"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused.error().field, "action");
  for (const auto action : kAuditActions) {
    EXPECT_NE(refused.error().public_message.find(action), std::string::npos) << action;
    EXPECT_TRUE(ListAudit(root_, {.action = std::string(action)})) << action;
  }
}

TEST_F(AuditTest, S1_LimitsAtNAndOneMore) {
  EXPECT_EQ(Say(ListAudit(root_, {.limit = 1})), "ok");
  EXPECT_EQ(Say(ListAudit(root_, {.limit = 1000})), "ok");
  EXPECT_EQ(Say(ListAudit(root_, {.limit = 1001})), "invalid/limit");
  EXPECT_EQ(Say(ListAudit(root_, {.limit = 0})), "invalid/limit");
  for (const char* cursor : {"x", "0", "-1", "1x", "99999999999999999999"}) {
    EXPECT_EQ(Say(ListAudit(root_, {.cursor = cursor})), "invalid/cursor") << cursor;
  }
}

TEST_F(AuditTest, A12_ListShowsTheOwnAccount) {
  const auto account = OtherAccount();
  const auto caller = Plant({.account = account, .scopes = Scopes({"audit:read"})});
  auto listed = ListAudit(caller);
  ASSERT_EQ(Say(listed), "ok");
  EXPECT_FALSE(listed->records.empty());
  for (const auto& record : listed->records) EXPECT_EQ(record.account, account);
}

TEST_F(AuditTest, A12_OnlyTheFirstAccountSeesTheChain) {
  const auto own = ListAudit(root_);
  EXPECT_TRUE(own->shows_chain);
  EXPECT_EQ(own->records, Trail());
  const auto account = OtherAccount();
  const auto caller = Plant({.account = account, .scopes = Scopes({"audit:read"})});
  auto listed = ListAudit(caller);
  ASSERT_EQ(Say(listed), "ok");
  EXPECT_FALSE(listed->shows_chain);
  auto expected = Trail(account);
  for (auto& record : expected) {
    record.number = 0;
    record.previous = {};
    record.hash = {};
  }
  EXPECT_EQ(listed->records, expected);
}

TEST_F(AuditTest, A12_PagesOfAnotherAccountAreWholeWithoutNumbers) {
  const auto caller = Plant({.account = OtherAccount(), .scopes = Scopes({"*"})});
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(Say(Create(caller, {.name = "theirs"})), "ok");
    ASSERT_EQ(Say(Create(root_, {.name = "ours"})), "ok");
  }
  std::vector<std::string> subjects;
  AuditListRequest request{.limit = 2};
  for (;;) {
    auto page = ListAudit(caller, request);
    ASSERT_EQ(Say(page), "ok");
    for (const auto& record : page->records) subjects.push_back(record.subject);
    if (!page->next_cursor) break;
    EXPECT_EQ(page->next_cursor->size(), 64u);
    request.cursor = *page->next_cursor;
  }
  std::vector<std::string> expected;
  for (const auto& record : Trail(caller.record->account)) expected.push_back(record.subject);
  EXPECT_EQ(subjects, expected);
  const std::string theirs = request.cursor;
  EXPECT_EQ(Say(ListAudit(root_, {.cursor = theirs})), "invalid/cursor");
  EXPECT_EQ(Say(ListAudit(caller, {.cursor = "2"})), "invalid/cursor") << "a number is a question";
}

TEST_F(AuditTest, S1_WhoMayDoWhat) {
  const auto reader = PlantScopes({"audit:read"});
  const auto pruner = PlantScopes({"audit:prune"});
  const auto other = Plant({.account = OtherAccount(), .scopes = Scopes({"*"})});
  const auto test = Plant({.mode = key::Mode::kTest, .scopes = Scopes({"*"})});
  const std::string no_read = "denied/insufficient_scope/audit:read";
  const std::string no_prune = "denied/insufficient_scope/audit:prune";
  EXPECT_EQ(Say(ListAudit(reader)), "ok");
  EXPECT_EQ(Say(ListAudit(pruner)), no_read);
  EXPECT_EQ(Say(ListAudit(test)), no_read) << "it would see live keys";
  for (const auto& caller : {pruner, other, test}) {
    EXPECT_EQ(Say(Verify(caller)), no_read);
    EXPECT_EQ(Say(Anchor(caller)), no_read);
  }
  for (const auto& caller : {reader, other, test}) {
    EXPECT_EQ(Say(Prune(caller, limits::kAuditPruneMinAge)), no_prune);
  }
  EXPECT_EQ(Say(Verify(reader)), "ok");
  EXPECT_EQ(Say(Anchor(reader)), "ok");
  EXPECT_EQ(Say(Prune(pruner, limits::kAuditPruneMinAge)), "ok");
}

TEST_F(AuditTest, S1_VerifyKnowsAnAnchor) {
  auto head = Anchor(root_);
  ASSERT_EQ(Say(head), "ok");
  EXPECT_EQ(AnchorLines(), 1u);
  ASSERT_EQ(Say(Create(root_, {.name = "n"})), "ok");
  auto verdict = Verify(root_, head->hash);
  ASSERT_EQ(Say(verdict), "ok");
  EXPECT_TRUE(verdict->is_intact);
  EXPECT_TRUE(verdict->anchor_found);
  EXPECT_FALSE(Verify(root_, key::Digest{})->anchor_found);
}

TEST_F(AuditTest, S1_PruneLeavesARecordOfWhoDidIt) {
  clock_.Advance(Millis(limits::kAuditPruneMinAge) + Millis(1));
  auto pruned = Prune(root_, limits::kAuditPruneMinAge);
  ASSERT_EQ(Say(pruned), "ok");
  EXPECT_GT(*pruned, 0);
  const auto trail = Trail();
  ASSERT_EQ(trail.size(), 1u);
  EXPECT_EQ(trail[0].action, "audit.prune");
  EXPECT_EQ(trail[0].actor, root_.actor());
  EXPECT_TRUE(Verify(root_)->is_intact);
}

TEST_F(AuditTest, S1_TheYoungestThatCanBePrunedAtNAndOneLess) {
  const Millis youngest = limits::kAuditPruneMinAge;
  clock_.Advance(youngest);
  auto refused = Prune(root_, youngest - Millis(1));
  ASSERT_EQ(Say(refused), "invalid/older_than");
  EXPECT_EQ(refused.error().public_message, "older_than must be at least 24h");
  EXPECT_EQ(Say(Prune(root_, Millis(0))), "invalid/older_than");
  EXPECT_EQ(*Prune(root_, youngest), 0) << "exactly a day old is not older";
  clock_.Advance(Millis(1));
  EXPECT_GT(*Prune(root_, youngest), 0);
}

TEST_F(AuditTest, S1_TheHeadIsLoggedNowAndHourly) {
  audit_.StartHourlyAnchor(scheduler_);
  scheduler_.RunUntilIdle();
  EXPECT_EQ(AnchorLines(), 1u);
  scheduler_.Advance(std::chrono::hours(2));
  EXPECT_EQ(AnchorLines(), 3u);
}

TEST_F(AuditTest, S1_AFailedHourIsSaidAndTheNextOneCounts) {
  store_.Inject(Call::kAuditHead, Fault::kFail);
  audit_.StartHourlyAnchor(scheduler_);
  scheduler_.RunUntilIdle();
  EXPECT_EQ(AnchorLines(), 0u);
  EXPECT_THAT(log_.Lines().back(), ::testing::HasSubstr("audit.anchor_failed"));
  scheduler_.Advance(std::chrono::hours(1));
  EXPECT_EQ(AnchorLines(), 1u);
}

TEST_F(AuditTest, TheHourEndsWithTheAudit) {
  {
    Audit audit(store_, random_, log_);
    audit.StartHourlyAnchor(scheduler_);
    scheduler_.RunUntilIdle();
  }
  scheduler_.Advance(std::chrono::hours(2));
  EXPECT_EQ(AnchorLines(), 1u);
}

TEST(AuditDetails, AreCompactJson) {
  AuditDetails details;
  const std::vector<std::string> values{"a\"b", "c"};
  details.Text("t", "x\ny").Number("n", -5).Flag("f", true).Flag("g", false).Texts("l", values);
  EXPECT_EQ(std::move(details).Build(),
            R"({"t":"x\ny","n":-5,"f":true,"g":false,"l":["a\"b","c"]})");
  EXPECT_EQ(AuditDetails().Build(), "{}");
}

}  // namespace
}  // namespace p402::service
