// What is refused on the wire, and that nothing behind it is ever taken as a request.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "net/server.h"
#include "net/testing/raw_client.h"
#include "net/testing/test_server.h"

namespace p402::net {
namespace {

using testing::RawClient;
using testing::TestServer;

const std::string kSmuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

std::string Post(const std::string& headers, const std::string& body) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + body;
}
std::string Chunked(const std::string& body) {
  return Post("Transfer-Encoding: chunked\r\n", body);
}

struct Case {
  std::string bytes;
  int status = 400;
};

const std::vector<Case> kRefused = {
    {Post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")},
    {Post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello")},
    {Post("Content-Length: 5, 5\r\n", "hello")},
    {Post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
    {Post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")},
    {Post("Content-Length: +5\r\n", "hello")},
    {Post("Content-Length: -5\r\n", "hello")},
    {Post("Content-Length: 0x5\r\n", "hello")},
    {Post("Content-Length: 99999999999999999999\r\n", "hello")},
    {Post("Content-Length : 5\r\n", "hello")},
    {Post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")},
    {Post("X: a\r\n b\r\n", "")},
    {Post("X: a\rb\r\n", "")},
    {Post("X: a\nb: c\r\n", "")},
    {Post(std::string("X: a\0b\r\n", 8), "")},
    {Post("X\x01: a\r\n", "")},
    {"GET / HTTP/1.1\n\n"},
    {"GET / HTTP/1.1\rHost: a\r\r"},
    {"GET / HTTP/1.1\r\n\r\n"},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
    {"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"G@T / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"},
    {Chunked("0x5\r\nhello\r\n0\r\n\r\n")},
    {Chunked("5_\r\nhello\r\n0\r\n\r\n")},
    {Chunked("+5\r\nhello\r\n0\r\n\r\n")},
    {Chunked("-5\r\nhello\r\n0\r\n\r\n")},
    {Chunked("000000005\r\nhello\r\n0\r\n\r\n")},
    {Chunked("5\nhello\r\n0\r\n\r\n")},
    {Chunked("5\r\nhello\n0\r\n\r\n")},
    {Chunked("4\r\nhello\r\n0\r\n\r\n")},
    {Chunked("5\r\nhello\r\n0\r\nX : a\r\n\r\n")},
    {Post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
    {Post("Expect: a-miracle\r\n", ""), 417},
    {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
    {"GET /" + std::string(8192, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
    {Post("X: " + std::string(16384, 'x') + "\r\n", ""), 431},
    {Post("Content-Length: 65537\r\n", ""), 413},
    {Chunked("8000\r\n" + std::string(32768, 'x') + "\r\n8001\r\n"), 413},
};

class Framing : public ::testing::TestWithParam<size_t> {};

TEST_P(Framing, B_IsRefusedAndTheConnectionClosed) {
  const Case& test = kRefused[GetParam()];
  TestServer server;
  std::atomic<int> requests{0};
  server.handler.on_request = [&](const Request&, Responder responder) {
    ++requests;
    std::move(responder).Send({});
  };
  server.Start();
  RawClient client(server.address());
  // Alone (the refusal must not wait for more), behind a good request, and before another one.
  ASSERT_TRUE(client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n" + test.bytes));
  EXPECT_EQ(client.ReadAnswer()->status, 200);
  const auto answer = client.ReadAnswer();
  ASSERT_TRUE(answer) << test.bytes;
  EXPECT_EQ(answer->status, test.status) << test.bytes;
  EXPECT_EQ(answer->headers.at("connection"), "close");
  EXPECT_FALSE(answer->body.empty());
  client.Send(kSmuggled);
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_FALSE(client.was_reset());
  EXPECT_EQ(requests, 1);
}

INSTANTIATE_TEST_SUITE_P(All, Framing, ::testing::Range(size_t{0}, kRefused.size()));

TEST(FramingLimits, B_BodyLimitHoldsAtN) {
  TestServer server;
  server.handler.on_request = [](const Request& request, Responder responder) {
    std::move(responder).Send({.body = std::to_string(request.body.size())});
  };
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send(Post("Content-Length: 65536\r\n", std::string(65536, 'x'))));
  EXPECT_EQ(client.ReadAnswer()->body, "65536");
  std::string chunks;
  for (int i = 0; i < 65536; ++i) chunks += "1\r\nx\r\n";
  ASSERT_TRUE(client.Send(Chunked(chunks + "0\r\n\r\n")));
  EXPECT_EQ(client.ReadAnswer()->body, "65536");
}

TEST(FramingLimits, B_HeadAndTargetLimitsHoldAtN) {
  TestServer server;
  server.Start();
  RawClient client(server.address());
  const std::string target = "/" + std::string(limits::kTargetBytes - 1, 'x');
  ASSERT_TRUE(client.Send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(client.ReadAnswer()->status, 200);
  const std::string bare = Post("X: \r\n", "");
  const std::string filler(limits::kHeadBytes - bare.size(), 'x');
  ASSERT_TRUE(client.Send(Post("X: " + filler + "\r\n", "")));
  EXPECT_EQ(client.ReadAnswer()->status, 200);
}

// A client that sends its whole body before it reads must find the answer, not a reset.
TEST(FramingLimits, B_ARefusedBodyMayStillArrive) {
  TestServer server;
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send(Post("Content-Length: 500000\r\n", "")));
  while (client.buffered().empty()) ASSERT_TRUE(client.ReadMore());  // refused by now
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(client.Send(std::string(1000, 'x')));
  const auto answer = client.ReadAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_FALSE(client.was_reset());
}

TEST(FramingBytes, ArriveOneByOne) {
  TestServer server;
  server.Start();
  RawClient client(server.address());
  const std::string requests = "\r\n" + Post("Content-Length: 5\r\n", "hello") + "\r\n" +
                               Chunked("5;x\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\n") +
                               Post("", "");
  for (const char c : requests) ASSERT_TRUE(client.Send(std::string_view(&c, 1)));
  EXPECT_EQ(client.ReadAnswer()->body, "POST / hello");
  EXPECT_EQ(client.ReadAnswer()->body, "POST / hello!");
  EXPECT_EQ(client.ReadAnswer()->body, "POST / ");
}

TEST(FramingBytes, ABodyThatMovesTheBufferKeepsTheViews) {
  TestServer server;
  server.handler.on_request = [](const Request& request, Responder responder) {
    std::move(responder).Send({.body = std::string(request.path) + " " +
                                       std::string(*request.Header("x-note")) + " " +
                                       std::to_string(request.body.size())});
  };
  server.Start();
  RawClient client(server.address());
  const std::string head =
      "POST /p HTTP/1.1\r\nHost: a\r\nX-Note: n\r\nContent-Length: 60000\r\n\r\n";
  ASSERT_TRUE(client.Send(head));
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(client.Send(std::string(1000, 'b')));
  EXPECT_EQ(client.ReadAnswer()->body, "/p n 60000");
}

}  // namespace
}  // namespace p402::net
