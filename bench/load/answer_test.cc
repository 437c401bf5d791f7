#include "bench/load/answer.h"

#include <gtest/gtest.h>

#include <string>

namespace p402::bench {
namespace {

TEST(ReadAnswer, WaitsForAllOfIt) {
  const std::string text = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello";
  Answer answer;
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(ReadAnswer(std::string_view(text).substr(0, size), answer), AnswerState::kPartial);
  }
  ASSERT_EQ(ReadAnswer(text, answer), AnswerState::kWhole);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.size, text.size());
}

TEST(ReadAnswer, LeavesWhatFollows) {
  Answer answer;
  ASSERT_EQ(ReadAnswer("HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\nHTTP/1.1", answer),
            AnswerState::kWhole);
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(answer.size, 38u);
}

TEST(ReadAnswer, RefusesWhatItCannotRead) {
  Answer answer;
  for (const std::string_view text :
       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "SSH-2.0-x\r\n\r\n",
        "HTTP/1.1 abc\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"}) {
    EXPECT_EQ(ReadAnswer(text, answer), AnswerState::kBroken) << text;
  }
}

}  // namespace
}  // namespace p402::bench
