// Once a connection is warm, a request that is answered directly allocates nothing.
#include "net/testing/sanitized.h"

#ifndef P402_IS_SANITIZED

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/testing/count_allocations.h"
#include "net/testing/raw_client.h"
#include "net/testing/test_server.h"

namespace p402::net {
namespace {

using testing::RawClient;
using testing::TestServer;

// Answers directly, and notes at each call how often its thread had allocated until then.
struct CountingServer : TestServer {
  CountingServer() {
    noted.reserve(10'000);
    handler.answer_directly = [this](const Request& request,
                                     std::string&) -> std::optional<DirectAnswer> {
      if (request.path == "/ordinary") return std::nullopt;
      const std::lock_guard lock(mutex);
      noted.push_back(p402::testing::allocations_of_this_thread);
      return DirectAnswer{.header_lines = "Content-Type: text/plain\r\n", .body = "ok"};
    };
  }
  // The allocations between the first and the last call after `skipped` of them.
  size_t CountAfter(size_t skipped) {
    const std::lock_guard lock(mutex);
    return noted.back() - noted.at(skipped);
  }
  std::mutex mutex;
  std::vector<size_t> noted;
};

constexpr size_t kRequests = 1000;
constexpr size_t kWarm = 10;

// Sends `request` again and again and awaits each answer.
void Converse(TestServer& server, const std::string& request) {
  RawClient client(server.address());
  for (size_t i = 0; i < kRequests; ++i) {
    ASSERT_TRUE(client.Send(request));
    const auto answer = client.ReadAnswer();
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->status, 200);
  }
}

TEST(Allocations, ADirectAnswerToAGetHasNone) {
  CountingServer server;
  server.Start();
  Converse(server,
           "GET /a?b HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nAccept: */*\r\n\r\n");
  EXPECT_EQ(server.CountAfter(kWarm), 0u);
}

TEST(Allocations, ADirectAnswerToAPostHasNone) {
  CountingServer server;
  server.Start();
  Converse(server,
           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'x'));
  EXPECT_EQ(server.CountAfter(kWarm), 0u);
}

TEST(Allocations, PipelinedDirectAnswersHaveNone) {
  CountingServer server;
  server.Start();
  RawClient client(server.address());
  std::string requests;
  for (int i = 0; i < 16; ++i) requests += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (int round = 0; round < 50; ++round) {
    ASSERT_TRUE(client.Send(requests));
    for (int i = 0; i < 16; ++i) ASSERT_TRUE(client.ReadAnswer());
  }
  EXPECT_EQ(server.CountAfter(32), 0u);
}

// The counter counts: an ordinary answer takes a string at least.
TEST(Allocations, AnOrdinaryAnswerHasSome) {
  CountingServer server;
  server.handler.on_request = [](const Request&, Responder responder) {
    std::move(responder).Send({.body = std::string(1000, 'x')});
  };
  server.Start();
  RawClient client(server.address());
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(
        client.Send("GET /ordinary HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    ASSERT_TRUE(client.ReadAnswer());
    ASSERT_TRUE(client.ReadAnswer());
  }
  EXPECT_GE(server.CountAfter(10), 9u);
}

}  // namespace
}  // namespace p402::net

#endif  // P402_IS_SANITIZED
