// Answers that a handler gives at once, without a Responder.
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/testing/raw_client.h"
#include "net/testing/test_server.h"

namespace p402::net {
namespace {

using testing::RawClient;
using testing::TestServer;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

std::string Get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

// Answers with the target, written into the scratch, unless the path is "/later".
std::optional<DirectAnswer> AnswerTarget(const Request& request, std::string& scratch) {
  if (request.path == "/later") return std::nullopt;
  scratch = request.target;
  return DirectAnswer{.status = request.path == "/204" ? 204 : 200,
                      .header_lines = "Content-Type: text/plain\r\nX-Direct: yes\r\n",
                      .body = scratch};
}

struct DirectServer : TestServer {
  DirectServer() { handler.answer_directly = AnswerTarget; }
};

TEST(DirectAnswer, HasWhatTheHandlerGivesAndWhatTheServerAdds) {
  DirectServer server;
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send(Get("/a?b")));
  const auto answer = client.ReadAnswer();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->head.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(answer->body, "/a?b");
  EXPECT_EQ(answer->headers.at("content-length"), "4");
  EXPECT_EQ(answer->headers.at("content-type"), "text/plain");
  EXPECT_EQ(answer->headers.at("x-direct"), "yes");
  EXPECT_TRUE(answer->headers.at("date").ends_with(" GMT"));
  EXPECT_FALSE(answer->headers.contains("connection"));
}

TEST(DirectAnswer, TheScratchMayGrow) {
  constexpr size_t kLarge = 200'000;
  TestServer server;
  server.handler.answer_directly = [](const Request&, std::string& scratch) {
    scratch.assign(kLarge, 'x');
    return DirectAnswer{.body = scratch};
  };
  server.Start();
  RawClient client(server.address());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.Send(kGet));
    const auto answer = client.ReadAnswer();
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->body == std::string(kLarge, 'x'));
  }
}

TEST(DirectAnswer, SeesTheWholeBody) {
  TestServer server;
  server.handler.answer_directly = [](const Request& request, std::string& scratch) {
    scratch = request.body;
    return DirectAnswer{.body = scratch};
  };
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc"));
  ASSERT_TRUE(client.Send("def"));
  EXPECT_EQ(client.ReadAnswer()->body, "abcdef");
  ASSERT_TRUE(
      client.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3\r\nxyz\r\n0\r\n\r\n"));
  EXPECT_EQ(client.ReadAnswer()->body, "xyz");
}

TEST(DirectAnswer, PipelinedWithOrdinaryOnesTheyKeepTheirOrder) {
  DirectServer server;
  server.handler.on_request = [](const Request& request, Responder responder) {
    if (request.query == "posted") {
      Executor& executor = responder.executor();
      executor.Post([responder = std::move(responder)]() mutable {
        std::move(responder).Send({.body = "posted"});
      });
      return;
    }
    std::move(responder).Send({.body = std::string(request.query)});
  };
  server.Start();
  RawClient client(server.address());
  std::string requests;
  for (int i = 0; i < 200; ++i) {
    const std::string number = std::to_string(i);
    requests += Get("/" + number) + Get("/later?" + number) + Get("/later?posted");
  }
  ASSERT_TRUE(client.Send(requests));
  for (int i = 0; i < 200; ++i) {
    for (const std::string& expected :
         {"/" + std::to_string(i), std::to_string(i), std::string("posted")}) {
      const auto answer = client.ReadAnswer();
      ASSERT_TRUE(answer) << i;
      EXPECT_EQ(answer->body, expected);
    }
  }
}

TEST(DirectAnswer, ForHeadAnd204HasNoBody) {
  DirectServer server;
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send("HEAD /abc HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(client.ReadAnswer(/*is_head=*/true)->headers.at("content-length"), "4");
  ASSERT_TRUE(client.Send(Get("/204")));
  EXPECT_FALSE(client.ReadAnswer()->headers.contains("content-length"));
  ASSERT_TRUE(client.Send(kGet));
  EXPECT_EQ(client.ReadAnswer()->body, "/");
}

TEST(DirectAnswer, FollowsTheClientsWishForTheConnection) {
  DirectServer server;
  server.Start();
  RawClient old(server.address());
  ASSERT_TRUE(old.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_EQ(old.ReadAnswer()->headers.at("connection"), "keep-alive");
  ASSERT_TRUE(old.Send("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(old.ReadAnswer()->headers.at("connection"), "close");
  EXPECT_EQ(old.ReadToEnd(), "");
  RawClient client(server.address());
  ASSERT_TRUE(client.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  EXPECT_EQ(client.ReadAnswer()->headers.at("connection"), "close");
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST(DirectAnswer, ToAnIgnoredBodyClosesTheConnection) {
  DirectServer server;
  server.handler.on_head = [](const Request&) { return BodyPolicy::kIgnore; };
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send("GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"));
  const auto answer = client.ReadAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "/a");
  EXPECT_EQ(answer->headers.at("connection"), "close");
  client.Send(Get("/smuggled"));
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST(DirectAnswer, C1_WhileDrainingClosesTheConnection) {
  DirectServer server;
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(
      client.Send("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                  "Content-Length: 2\r\n\r\n"));
  ASSERT_EQ(client.ReadAnswer()->status, 100);
  auto drained =
      std::async(std::launch::async, [&] { return server.server->Drain(RawClient::kPatience); });
  while (RawClient(server.address()).is_connected()) {
  }
  ASSERT_TRUE(client.Send("hi"));
  const auto answer = client.ReadAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "/a");
  EXPECT_EQ(answer->headers.at("connection"), "close");
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_EQ(drained.get(), 0u);
}

TEST(DirectAnswer, IsCounted) {
  DirectServer server;
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send(kGet));
  ASSERT_TRUE(client.ReadAnswer());
  EXPECT_NE(server.metrics->Expose().find("p402_http_requests_total{class=\"2xx\"} 1"),
            std::string::npos);
  // Its time is observed at the end of the turn: before another request is read.
  ASSERT_TRUE(client.Send(kGet));
  ASSERT_TRUE(client.ReadAnswer());
  EXPECT_EQ(server.metrics->Expose().find("p402_http_request_seconds_count 0"), std::string::npos);
}

}  // namespace
}  // namespace p402::net
