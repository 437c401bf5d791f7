#include "store/audit_chain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace p402::store {
namespace {

class ChainTest : public ::testing::Test {
 protected:
  ChainTest() {
    for (int i = 0; i < 6; ++i) {
      AuditRecord record{.account = {}, .action = "key.create"};
      record.subject = std::to_string(i);
      head_ = Chain(head_, WallTime(Millis(i)), record);
      records_.push_back(record);
    }
  }

  AuditVerdict Verify(std::optional<key::Digest> anchor = {}, AuditHead checkpoint = {}) const {
    ChainVerifier verifier(checkpoint, anchor);
    for (const auto& record : records_) {
      if (!verifier.Add(record)) break;
    }
    return std::move(verifier).Finish(head_);
  }
  // As somebody would who can write to the database and knows the format.
  void Rechain() {
    head_ = {};
    for (auto& record : records_) head_ = Chain(head_, record.at, record);
  }

  std::vector<AuditRecord> records_;
  AuditHead head_;
};

TEST_F(ChainTest, S1_AWholeChainIsIntact) {
  const auto verdict = Verify();
  EXPECT_TRUE(verdict.is_intact) << verdict.problem;
  EXPECT_EQ(verdict.checked, 6);
  EXPECT_EQ(verdict.first_number, 1);
  EXPECT_EQ(verdict.head, head_);
}

TEST_F(ChainTest, S1_FindsAChangedRecord) {
  records_[2].subject = "else";
  const auto verdict = Verify();
  EXPECT_FALSE(verdict.is_intact);
  EXPECT_NE(verdict.problem.find("record 3"), std::string::npos) << verdict.problem;
}

TEST_F(ChainTest, S1_FindsAChangedRecordWithAFittingHash) {
  records_[2].subject = "else";
  records_[2].hash = AuditHash(records_[2]);
  const auto verdict = Verify();
  EXPECT_FALSE(verdict.is_intact);
  EXPECT_NE(verdict.problem.find("record 4"), std::string::npos) << verdict.problem;
}

TEST_F(ChainTest, S1_FindsADeletedRecord) {
  for (size_t i = 0; i < 6; ++i) {
    auto records = records_;
    records_.erase(records_.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(Verify().is_intact) << i;
    records_ = records;
  }
}

TEST_F(ChainTest, S1_FindsReorderedAndAddedRecords) {
  const auto records = records_;
  std::swap(records_[1], records_[2]);
  EXPECT_FALSE(Verify().is_intact);
  records_ = records;
  std::swap(records_[1].subject, records_[2].subject);
  EXPECT_FALSE(Verify().is_intact);
  records_ = records;
  AuditRecord added = records_[5];
  added.number = 7;
  records_.push_back(added);
  EXPECT_FALSE(Verify().is_intact);
  Chain(head_, WallTime(Millis(9)), records_[6]);
  EXPECT_FALSE(Verify().is_intact) << "the head does not know it";
}

TEST_F(ChainTest, S1_AnAnchorFindsACutTail) {
  const auto anchor = head_.hash;
  records_.resize(4);
  head_ = {.number = records_[3].number, .hash = records_[3].hash};
  EXPECT_TRUE(Verify().is_intact) << "nothing in the database tells";
  const auto verdict = Verify(anchor);
  EXPECT_FALSE(verdict.is_intact);
  EXPECT_FALSE(verdict.anchor_found);
}

TEST_F(ChainTest, S1_AnAnchorFindsARewrittenChain) {
  const auto anchor = head_.hash;
  records_[0].details = "forged";
  Rechain();
  EXPECT_TRUE(Verify().is_intact) << "nothing in the database tells";
  EXPECT_FALSE(Verify(anchor).is_intact);
  EXPECT_TRUE(Verify(head_.hash).anchor_found);
}

TEST_F(ChainTest, S1_BeginsAtTheCheckpoint) {
  const AuditHead checkpoint{.number = 2, .hash = records_[1].hash};
  records_.erase(records_.begin(), records_.begin() + 2);
  const auto verdict = Verify(checkpoint.hash, checkpoint);
  EXPECT_TRUE(verdict.is_intact) << verdict.problem;
  EXPECT_TRUE(verdict.anchor_found);
  EXPECT_EQ(verdict.first_number, 2);
  EXPECT_EQ(verdict.checked, 4);
  EXPECT_FALSE(Verify({}, {.number = 2, .hash = {}}).is_intact);
  EXPECT_FALSE(Verify().is_intact) << "without it the front is missing";
}

}  // namespace
}  // namespace p402::store
