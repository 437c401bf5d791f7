// Deadlines, too many connections, memory of idle ones, and the drain.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "net/server.h"
#include "net/testing/raw_client.h"
#include "net/testing/sanitized.h"
#include "net/testing/test_server.h"

namespace p402::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::RawClient;
using testing::TestServer;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr Millis kShort{400};

// Waits on a socket, not on the clock, until `condition` holds.
template <class Condition>
bool Eventually(Condition condition) {
  const auto end = steady_clock::now() + RawClient::kPatience;
  while (!condition()) {
    if (steady_clock::now() > end) return false;
    poll(nullptr, 0, 5);
  }
  return true;
}

double OpenConnections(TestServer& server) {
  const std::string text = server.metrics->Expose();
  const size_t at = text.find("\np402_http_connections ");
  return std::stod(text.substr(at + 23));
}

// Sends a piece every 50 ms and measures when the server hangs up.
milliseconds TimeToCut(RawClient& client, std::string_view piece) {
  const auto start = steady_clock::now();
  while (!client.has_ended() && steady_clock::now() - start < RawClient::kPatience) {
    client.Send(piece);
    client.ReadMore(milliseconds(50));
  }
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
}

struct SlowCase {
  std::string start;
  std::string piece;
};

TEST(Deadlines, S3_SlowClientsAreCutAndOthersAreNot) {
  TestServer server;
  server.options.head_deadline = server.options.body_deadline = kShort;
  server.Start();
  const std::vector<SlowCase> cases = {
      {"GET / HTTP/1.1\r\nHost: a\r\nX: ", "x"},
      {std::string(kGet) + "G", "E"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n", "x"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"},
  };
  std::vector<std::future<milliseconds>> cuts;
  std::vector<std::unique_ptr<RawClient>> clients;
  for (const SlowCase& test : cases) {
    clients.push_back(std::make_unique<RawClient>(server.address()));
    ASSERT_TRUE(clients.back()->Send(test.start));
    cuts.push_back(std::async(std::launch::async, [&test, client = clients.back().get()] {
      return TimeToCut(*client, test.piece);
    }));
  }
  RawClient other(server.address());
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(other.Send(kGet));
    ASSERT_TRUE(other.ReadAnswer());
  }
  for (auto& cut : cuts) {
    const milliseconds time = cut.get();
    EXPECT_GE(time, kShort - milliseconds(50));
    EXPECT_LT(time, RawClient::kPatience);
  }
}

TEST(Deadlines, S3_IdleConnectionsAreClosed) {
  TestServer server;
  server.options.idle_deadline = kShort;
  server.Start();
  RawClient fresh(server.address());
  RawClient used(server.address());
  ASSERT_TRUE(used.Send(kGet));
  ASSERT_TRUE(used.ReadAnswer());
  EXPECT_EQ(fresh.ReadToEnd(), "");
  EXPECT_EQ(used.ReadToEnd(), "");
}

TEST(Deadlines, S3_AClientThatDoesNotReadIsCut) {
  TestServer server;
  server.options.write_deadline = kShort;
  server.handler.on_request = [](const Request&, Responder responder) {
    std::move(responder).Send({.body = std::string(30'000'000, 'x')});
  };
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send(kGet));
  EXPECT_TRUE(Eventually([&] { return OpenConnections(server) == 1; }));
  EXPECT_TRUE(Eventually([&] { return OpenConnections(server) == 0; }));
}

TEST(Deadlines, AHandlerMayTakeLongerThanAllOfThem) {
  TestServer server;
  server.options.head_deadline = server.options.body_deadline = server.options.idle_deadline =
      server.options.write_deadline = Millis(50);
  std::promise<std::unique_ptr<Responder>> arrived;
  server.handler.on_request = [&](const Request&, Responder responder) {
    arrived.set_value(std::make_unique<Responder>(std::move(responder)));
  };
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send(kGet));
  auto responder = arrived.get_future().get();
  RawClient idle(server.address());
  EXPECT_EQ(idle.ReadToEnd(), "");  // opened later, and cut already
  std::move(*responder).Send({.body = "late"});
  EXPECT_EQ(client.ReadAnswer()->body, "late");
}

TEST(Connections, OneMoreThanTheMaximumIsTold503) {
  TestServer server;
  server.options.max_connections = 3;
  server.Start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.address()));
    ASSERT_TRUE(clients.back()->Send(kGet));
    EXPECT_EQ(clients.back()->ReadAnswer()->status, 200);
  }
  RawClient refused(server.address());
  refused.Send(kGet);
  const auto answer = refused.ReadAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(refused.ReadToEnd(), "");
  EXPECT_FALSE(refused.was_reset());
  clients.pop_back();
  EXPECT_TRUE(Eventually([&] {
    RawClient again(server.address());
    again.Send(kGet);
    const auto second = again.ReadAnswer();
    return second && second->status == 200;
  }));
}

#ifndef P402_IS_SANITIZED

TEST(Connections, RunningOutOfDescriptorsIsSurvived) {
  TestServer server;
  server.Start();
  RawClient first(server.address());
  ASSERT_TRUE(first.Send(kGet));
  ASSERT_TRUE(first.ReadAnswer());
  std::vector<UniqueFd> waiting;  // connections that the server cannot accept
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
  RawClient second(server.address());
  EXPECT_TRUE(Eventually([&] { return OpenConnections(server) == 2; }));
  const int next = dup(0);
  close(next);
  rlimit low = old;
  low.rlim_cur = static_cast<rlim_t>(next) + 1;  // one more, for the client's end
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  RawClient third(server.address());
  ASSERT_TRUE(third.is_connected());
  EXPECT_TRUE(Eventually([&] { return !server.log.Lines().empty(); }));
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  poll(nullptr, 0, 1000);
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  const auto spent = [](const rusage& usage) {
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
  };
  EXPECT_LT(spent(after) - spent(before), 500) << "it spins";
  ASSERT_TRUE(first.Send(kGet));
  EXPECT_TRUE(first.ReadAnswer());
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
  ASSERT_TRUE(third.Send(kGet));
  EXPECT_TRUE(third.ReadAnswer());
}

size_t ResidentBytes() {
  std::ifstream status("/proc/self/statm");
  size_t total = 0;
  size_t resident = 0;
  status >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// The other end of many connections, in a process of its own because of the limit of open files.
// Each is used once, with a head of several KiB.
void HoldConnections(const std::string& address, size_t count, int to_parent, int from_parent) {
  std::vector<std::unique_ptr<RawClient>> clients;
  const std::string request =
      "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(3000, 'x') + "\r\n\r\n";
  bool is_fine = true;
  for (size_t i = 0; i < count && is_fine; ++i) {
    clients.push_back(std::make_unique<RawClient>(address));
    is_fine = clients.back()->Send(request) && clients.back()->ReadAnswer();
  }
  const char done = is_fine ? 'y' : 'n';
  char ignored = 0;
  if (write(to_parent, &done, 1) == 1) [[maybe_unused]]
    const ssize_t count_read = read(from_parent, &ignored, 1);
  _exit(0);
}

TEST(Connections, S3_AnIdleOneCostsAtMost8KiB) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  const size_t count = std::min<size_t>(9000, limit.rlim_cur - 100);
  TestServer server;
  std::array<int, 2> ready{};
  std::array<int, 2> end{};
  ASSERT_EQ(pipe(ready.data()), 0);
  ASSERT_EQ(pipe(end.data()), 0);
  // The child starts before the threads do, and learns the address later.
  std::array<int, 2> told{};
  ASSERT_EQ(pipe(told.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    std::array<char, 64> address{};
    const ssize_t bytes = read(told[0], address.data(), address.size() - 1);
    HoldConnections(std::string(address.data(), static_cast<size_t>(std::max<ssize_t>(bytes, 0))),
                    count, ready[1], end[0]);
  }
  server.Start();
  {
    RawClient warm(server.address());
    ASSERT_TRUE(warm.Send(kGet));
    ASSERT_TRUE(warm.ReadAnswer());
  }
  const size_t before = ResidentBytes();
  const std::string address = server.address();
  ASSERT_EQ(write(told[1], address.data(), address.size()), static_cast<ssize_t>(address.size()));
  char done = 'n';
  ASSERT_EQ(read(ready[0], &done, 1), 1);
  EXPECT_EQ(done, 'y');
  EXPECT_GE(OpenConnections(server), static_cast<double>(count));
  const size_t each = (ResidentBytes() - before) / count;
  RecordProperty("bytes_each", static_cast<int>(each));
  EXPECT_LE(each, 8u * 1024);
  ASSERT_EQ(write(end[1], "x", 1), 1);
  waitpid(child, nullptr, 0);
  for (const int fd : {ready[0], ready[1], end[0], end[1], told[0], told[1]}) close(fd);
  EXPECT_TRUE(Eventually([&] { return OpenConnections(server) == 0; }));
}

#endif  // P402_IS_SANITIZED

TEST(Drain, C1_ClosesIdleConnectionsAtOnce) {
  TestServer server;
  server.options.threads = 2;
  server.Start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.address()));
    ASSERT_TRUE(clients.back()->Send(kGet));
    ASSERT_TRUE(clients.back()->ReadAnswer());
  }
  const auto start = steady_clock::now();
  EXPECT_EQ(server.server->Drain(Millis(10'000)), 0u);
  EXPECT_LT(steady_clock::now() - start, milliseconds(5000));
  for (auto& client : clients) EXPECT_EQ(client->ReadToEnd(), "");
  EXPECT_FALSE(RawClient(server.address()).is_connected());
}

TEST(Drain, C1_ARequestInFlightIsAnswered) {
  TestServer server;
  std::promise<std::unique_ptr<Responder>> arrived;
  server.handler.on_request = [&](const Request& request, Responder responder) {
    if (request.path == "/body") return std::move(responder).Send({.body = "read"});
    arrived.set_value(std::make_unique<Responder>(std::move(responder)));
  };
  server.Start();
  RawClient handled(server.address());
  ASSERT_TRUE(handled.Send(kGet));
  auto responder = arrived.get_future().get();
  RawClient half(server.address());
  ASSERT_TRUE(
      half.Send("POST /body HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                "Content-Length: 2\r\n\r\n"));
  ASSERT_EQ(half.ReadAnswer()->status, 100);
  auto drained =
      std::async(std::launch::async, [&] { return server.server->Drain(Millis(10'000)); });
  EXPECT_TRUE(Eventually([&] { return !RawClient(server.address()).is_connected(); }));
  EXPECT_EQ(drained.wait_for(milliseconds(0)), std::future_status::timeout);
  ASSERT_TRUE(half.Send("hi"));
  const auto read = half.ReadAnswer();
  EXPECT_EQ(read->body, "read");
  EXPECT_EQ(read->headers.at("connection"), "close");
  std::move(*responder).Send({.body = "late"});
  EXPECT_EQ(handled.ReadAnswer()->body, "late");
  EXPECT_EQ(handled.ReadToEnd(), "");
  EXPECT_EQ(half.ReadToEnd(), "");
  EXPECT_EQ(drained.get(), 0u);
}

TEST(Drain, C1_TheGraceEndsWhatNeverEnds) {
  TestServer server;
  std::promise<std::unique_ptr<Responder>> arrived;
  server.handler.on_request = [&](const Request&, Responder responder) {
    arrived.set_value(std::make_unique<Responder>(std::move(responder)));
  };
  server.Start();
  RawClient handled(server.address());
  ASSERT_TRUE(handled.Send(kGet));
  auto responder = arrived.get_future().get();
  RawClient half(server.address());
  ASSERT_TRUE(
      half.Send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                "Content-Length: 2\r\n\r\n"));
  ASSERT_EQ(half.ReadAnswer()->status, 100);
  EXPECT_EQ(server.server->Drain(Millis(100)), 2u);
  EXPECT_FALSE(handled.ReadAnswer());
  EXPECT_FALSE(half.ReadAnswer());
  std::move(*responder).Send({});
}

}  // namespace
}  // namespace p402::net
