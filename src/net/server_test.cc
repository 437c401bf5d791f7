#include "net/server.h"

#include <gtest/gtest.h>

#include <string>

#include "net/testing/raw_client.h"
#include "net/testing/test_server.h"

namespace p402::net {
namespace {

using testing::RawClient;
using testing::TestServer;

TEST(Server, AnswersARequest) {
  TestServer server;
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send("GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n"));
  const auto answer = client.ReadAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "GET /a?b=c ");
  EXPECT_EQ(answer->headers.at("content-type"), "text/plain");
  EXPECT_TRUE(answer->headers.contains("date"));
  EXPECT_FALSE(answer->headers.contains("connection"));
}

TEST(Server, KeepsAConnectionAlive) {
  TestServer server;
  server.Start();
  RawClient client(server.address());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(client.Send("POST /" + std::to_string(i) +
                            " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"));
    const auto answer = client.ReadAnswer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "POST /" + std::to_string(i) + " abc");
  }
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  TestServer server;
  server.Start();
  RawClient client(server.address());
  std::string requests;
  for (int i = 0; i < 1000; ++i) {
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  ASSERT_TRUE(client.Send(requests));
  for (int i = 0; i < 1000; ++i) {
    const auto answer = client.ReadAnswer();
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->body, "GET /" + std::to_string(i) + " ");
  }
}

}  // namespace
}  // namespace p402::net
