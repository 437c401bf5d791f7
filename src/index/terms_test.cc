#include "index/terms.h"

#include <gtest/gtest.h>

#include <string>

namespace p402::index {
namespace {

class TermsTest : public testing::Test {
 protected:
  static key::AccountId Account(uint8_t last) {
    key::AccountId account;
    account.uuid.back() = last;
    return account;
  }

  Arena arena_;
  Terms terms_{arena_};
};

TEST_F(TermsTest, SharesWhatIsEqual) {
  const uint32_t number = terms_.Use(Account(1), "a b");
  EXPECT_NE(number, 0U);
  EXPECT_EQ(terms_.Use(Account(1), "a b"), number);
  EXPECT_EQ(terms_.AccountOf(number), Account(1));
  EXPECT_EQ(terms_.ScopesOf(number), "a b");
}

TEST_F(TermsTest, TellsApartWhatIsNot) {
  const uint32_t number = terms_.Use(Account(1), "a");
  EXPECT_NE(terms_.Use(Account(2), "a"), number) << "of another account";
  EXPECT_NE(terms_.Use(Account(1), "b"), number);
  EXPECT_NE(terms_.Use(Account(1), ""), number);
  EXPECT_EQ(terms_.ScopesOf(terms_.Use(Account(1), "")), "");
}

// More than the places of those that were used last.
TEST_F(TermsTest, FindsEachOfManyAgain) {
  std::vector<uint32_t> numbers;
  for (int i = 0; i < 2000; ++i) numbers.push_back(terms_.Use(Account(1), std::to_string(i)));
  for (int i = 0; i < 2000; ++i) {
    EXPECT_EQ(terms_.Use(Account(1), std::to_string(i)), numbers[i]);
    EXPECT_EQ(terms_.ScopesOf(numbers[i]), std::to_string(i));
  }
}

TEST_F(TermsTest, ForgetsWithTheLastCell) {
  const uint32_t number = terms_.Use(Account(1), "a");
  EXPECT_EQ(terms_.Use(Account(1), "a"), number);
  EXPECT_FALSE(terms_.Drop(number));
  EXPECT_TRUE(terms_.Drop(number));
  const uint32_t next = terms_.Use(Account(1), "a");
  EXPECT_NE(next, number) << "readers may still look at it";
  EXPECT_EQ(terms_.ScopesOf(number), "a");
  const size_t both = terms_.text_bytes();
  terms_.Free(number);
  EXPECT_EQ(terms_.text_bytes(), both / 2);
  EXPECT_EQ(terms_.Use(Account(1), "b"), number) << "a number that is free is used again";
}

TEST_F(TermsTest, ClearForgetsAll) {
  terms_.Use(Account(1), "a");
  terms_.Clear();
  arena_.Clear();
  EXPECT_EQ(terms_.text_bytes(), 0U);
  const uint32_t number = terms_.Use(Account(1), "a");
  EXPECT_EQ(terms_.ScopesOf(number), "a");
}

}  // namespace
}  // namespace p402::index
