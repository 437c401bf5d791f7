#include "bench/load/client.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace p402::bench {
namespace {

using ::testing::ElementsAre;

// Serves one connection after the other, one request at a time. `answer` gets the number of the
// request; what it returns is sent, and nothing closes the connection.
class Server {
 public:
  using Answerer = std::function<std::string(size_t)>;

  explicit Server(Answerer answer) : answer_(std::move(answer)) {
    listener_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_.get(), any, size), 0);
    EXPECT_EQ(listen(listener_.get(), 16), 0);
    EXPECT_EQ(getsockname(listener_.get(), any, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  // What it was asked. The client has gone: nobody waits for an answer any more.
  std::vector<std::string> Stop() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    return std::move(requests_);
  }
  uint16_t port() const { return port_; }

 private:
  void Serve() {
    for (;;) {
      const UniqueFd connection(accept(listener_.get(), nullptr, nullptr));
      if (!connection.is_open()) return;
      while (ServeOne(connection.get())) {
      }
    }
  }
  bool ServeOne(int connection) {
    std::array<char, 4096> buffer;
    const auto got = recv(connection, buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    requests_.emplace_back(buffer.data(), static_cast<size_t>(got));
    const std::string text = answer_(requests_.size() - 1);
    if (text.empty()) return false;
    return send(connection, text.data(), text.size(), MSG_NOSIGNAL) > 0;
  }

  Answerer answer_;
  UniqueFd listener_;
  uint16_t port_ = 0;
  std::vector<std::string> requests_;
  std::thread thread_;
};

std::string Http(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

Plan PlanFor(uint16_t port, const std::vector<std::string>& items) {
  return {.port = port,
          .request = *RequestTemplate::Parse("GET {item}", 1),
          .items = items,
          .connections = 1,
          .warm_up_seconds = 0,
          .seconds = 0.05};
}

// Each item once: what a run does then does not depend on how fast it is.
Plan OnceEach(uint16_t port, const std::vector<std::string>& items) {
  Plan plan = PlanFor(port, items);
  plan.uses_items_once = true;
  plan.seconds = 30;
  return plan;
}

TEST(RunLoad, HasAnotherItemInEveryRequest) {
  Server server([](size_t) { return Http(200, "{}"); });
  Plan plan = OnceEach(server.port(), {"a", "b", "c"});
  plan.first_item = 1;
  const auto outcome = RunLoad(plan);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->answered, 2u);
  EXPECT_EQ(outcome->measured, 2u);
  EXPECT_EQ(outcome->latency.count(), 2u);
  EXPECT_THAT(server.Stop(), ElementsAre("GET b", "GET c"));
}

TEST(RunLoad, BeginsAgainWithTheFirstItem) {
  Server server([](size_t) { return Http(200, "{}"); });
  Plan plan = PlanFor(server.port(), {"a", "b"});
  plan.per_second = 100;
  ASSERT_TRUE(RunLoad(plan));
  EXPECT_THAT(server.Stop(), ElementsAre("GET a", "GET b", "GET a", "GET b", "GET a"));
}

// However slowly they are answered, as many as were due were sent and measured.
TEST(RunLoad, SendsWhatTheRateSays) {
  Server server([](size_t) { return Http(200, "{}"); });
  Plan plan = PlanFor(server.port(), {"a"});
  plan.per_second = 1000;
  const auto outcome = RunLoad(plan);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->measured, 50u);
  EXPECT_EQ(outcome->latency.count(), 50u);
  EXPECT_EQ(outcome->lateness.count(), 50u);
  EXPECT_EQ(outcome->unanswered, 0u);
  server.Stop();
}

// A million a second is more than one connection can do: most is sent when the time is over.
TEST(RunLoad, SendsWhatWasDueEvenAfterTheEnd) {
  Server server([](size_t) { return Http(200, "{}"); });
  Plan plan = PlanFor(server.port(), {"a"});
  plan.per_second = 1'000'000;
  plan.seconds = 0.002;
  const auto outcome = RunLoad(plan);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->measured, 2000u);
  server.Stop();
}

TEST(RunLoad, DoesNotMeasureTheWarmUp) {
  Server server([](size_t) { return Http(200, "{}"); });
  Plan plan = PlanFor(server.port(), {"a"});
  plan.per_second = 1000;
  plan.warm_up_seconds = 0.02;
  const auto outcome = RunLoad(plan);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->answered, 70u);
  EXPECT_EQ(outcome->measured, 50u);
  server.Stop();
}

TEST(RunLoad, CountsRefusals) {
  Server server([](size_t number) {
    if (number == 0) return Http(401, "no");
    return Http(200, number == 1 ? R"({"valid":false})" : R"({"valid":true})");
  });
  Plan plan = OnceEach(server.port(), {"a", "b", "c"});
  plan.body_start = R"({"valid":true)";
  const auto outcome = RunLoad(plan);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->answered, 3u);
  EXPECT_EQ(outcome->refused, 2u);
  EXPECT_EQ(outcome->measured, 1u);
  EXPECT_EQ(outcome->first_refusal, "401 no");
  server.Stop();
}

TEST(RunLoad, CountsConnectionsThatEndAndGoesOn) {
  Server server([](size_t number) { return number == 1 ? "" : Http(200, "{}"); });
  const auto outcome = RunLoad(OnceEach(server.port(), {"a", "b", "c"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->broken, 1u);
  EXPECT_EQ(outcome->measured, 2u);
  EXPECT_EQ(outcome->unanswered, 0u);
  EXPECT_THAT(server.Stop(), ElementsAre("GET a", "GET b", "GET c"));
}

TEST(RunLoad, KeepsAField) {
  Server server([](size_t number) {
    return Http(number == 2 ? 400 : 200, R"({"id":"key_)" + std::to_string(number) + R"(","x":1})");
  });
  Plan plan = OnceEach(server.port(), {"a", "b", "c"});
  plan.kept_field = "id";
  const auto outcome = RunLoad(plan);
  ASSERT_TRUE(outcome);
  EXPECT_THAT(outcome->kept, ElementsAre("key_0", "key_1"));
  server.Stop();
}

TEST(RunLoad, FailsWithoutAServer) {
  uint16_t port = 0;
  {
    Server server([](size_t) { return std::string(); });
    port = server.port();
    server.Stop();
  }
  const auto outcome = RunLoad(PlanFor(port, {"a"}));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace p402::bench
