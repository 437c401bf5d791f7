#include "lib/c_values.h"

#include <gtest/gtest.h>

#include <string>

namespace p402::lib {
namespace {

constexpr p402_text kLost{.data = nullptr, .size = 3};  // its memory could not be had

std::string FieldOf(const p402_new_key& wanted) {
  const auto read = ReadNewKey(wanted);
  return read ? "accepted" : read.error().field;
}
std::string FieldOf(const p402_question& question) {
  QuestionReader reader;
  const auto read = reader.Read(question, key::AccountId{});
  return read ? "accepted" : read.error().field;
}
p402_new_key Named() {
  p402_new_key wanted{};
  wanted.name = p402_text_of("agent");
  return wanted;
}

TEST(NewKey, A2_ACountWithoutTextsMakesNoWiderKey) {
  EXPECT_EQ(FieldOf(Named()), "accepted");
  p402_new_key wanted = Named();
  wanted.scope_count = 1;  // would be the scopes of the actor
  EXPECT_EQ(FieldOf(wanted), "scopes");
  wanted = Named();
  wanted.allowed_cidr_count = 1;  // would be from anywhere
  EXPECT_EQ(FieldOf(wanted), "allowed_cidrs");
}

TEST(NewKey, A2_ALostTextMakesNoWiderKey) {
  p402_new_key wanted = Named();
  wanted.scopes = &kLost;
  wanted.scope_count = 1;
  EXPECT_EQ(FieldOf(wanted), "scopes");
  wanted = Named();
  wanted.allowed_cidrs = &kLost;
  wanted.allowed_cidr_count = 1;
  EXPECT_EQ(FieldOf(wanted), "allowed_cidrs");
  wanted = Named();
  wanted.owner = kLost;  // without an owner it would have the scopes of the actor
  EXPECT_EQ(FieldOf(wanted), "owner");
  wanted = Named();
  wanted.name = kLost;
  EXPECT_EQ(FieldOf(wanted), "name");
}

TEST(NewKey, A2_NoScopesAreNotTheActors) {
  p402_new_key wanted = Named();
  EXPECT_FALSE(ReadNewKey(wanted)->scopes);
  const p402_text unused{};
  wanted.scopes = &unused;
  ASSERT_TRUE(ReadNewKey(wanted)->scopes);
  EXPECT_TRUE(ReadNewKey(wanted)->scopes->empty());
}

TEST(Question, V5_ACountWithoutTextsIsNoWiderQuestion) {
  EXPECT_EQ(FieldOf(p402_question{}), "accepted");
  p402_question question{};
  question.scope_count = 1;
  EXPECT_EQ(FieldOf(question), "scopes");
  question.scopes = &kLost;
  EXPECT_EQ(FieldOf(question), "scopes");
  question = {};
  question.account = kLost;  // would be the first account
  EXPECT_EQ(FieldOf(question), "account");
}

}  // namespace
}  // namespace p402::lib
