#include "net/server.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "net/testing/raw_client.h"
#include "net/testing/test_server.h"

namespace p402::net {
namespace {

using testing::RawClient;
using testing::TestServer;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

// Keeps the responders of requests that a test answers later.
class Waiting {
 public:
  void Put(Responder responder) {
    const std::lock_guard lock(mutex_);
    responders_.push_back(std::make_unique<Responder>(std::move(responder)));
    arrived_.notify_all();
  }
  std::unique_ptr<Responder> Take() {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, RawClient::kPatience, [this] { return !responders_.empty(); })) {
      return nullptr;
    }
    auto responder = std::move(responders_.front());
    responders_.erase(responders_.begin());
    return responder;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::unique_ptr<Responder>> responders_;
};

void KeepIn(Waiting& waiting, TestServer& server) {
  server.handler.on_request = [&waiting](const Request&, Responder responder) {
    waiting.Put(std::move(responder));
  };
}

TEST(Server, AnswersARequest) {
  TestServer server;
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send("GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n"));
  const auto answer = client.ReadAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(answer->head.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(answer->body, "GET /a?b=c ");
  EXPECT_EQ(answer->headers.at("content-type"), "text/plain");
  EXPECT_TRUE(answer->headers.at("date").ends_with(" GMT"));
  EXPECT_FALSE(answer->headers.contains("connection"));
}

TEST(Server, GivesTheHandlerTheRequest) {
  TestServer server;
  std::string seen;
  server.handler.on_request = [&](const Request& request, Responder responder) {
    seen = std::string(request.path) + "|" + std::string(request.query) + "|" +
           std::to_string(request.version_minor) + "|" + std::string(request.peer) + "|" +
           std::to_string(request.FindHeader("x-two").count) + "|" +
           std::string(request.Header("X-TWO").value_or("none")) + "|" +
           std::string(request.Header("x-none").value_or("none"));
    std::move(responder).Send({.status = 201, .headers = {{"Location", "/x"}}});
  };
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send("GET /a?b HTTP/1.1\r\nHost: x\r\nX-Two: 1\r\nx-two: 2\r\n\r\n"));
  const auto answer = client.ReadAnswer();
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->headers.at("location"), "/x");
  EXPECT_EQ(answer->headers.at("content-length"), "0");
  EXPECT_EQ(seen, "/a|b|1|127.0.0.1|2|1|none");
}

TEST(Server, KeepsAConnectionAlive) {
  TestServer server;
  server.Start();
  RawClient client(server.address());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(client.Send("POST /" + std::to_string(i) +
                            " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"));
    EXPECT_EQ(client.ReadAnswer()->body, "POST /" + std::to_string(i) + " abc");
  }
}

TEST(Server, ClosesWhenTheClientAsks) {
  TestServer server;
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  EXPECT_EQ(client.ReadAnswer()->headers.at("connection"), "close");
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST(Server, SpeaksHttp10) {
  TestServer server;
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_EQ(client.ReadAnswer()->headers.at("connection"), "keep-alive");
  ASSERT_TRUE(client.Send("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(client.ReadAnswer()->headers.at("connection"), "close");
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST(Server, AnswersAClientThatHasEndedItsOutput) {
  TestServer server;
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send(kGet));
  client.EndOutput();
  EXPECT_EQ(client.ReadAnswer()->status, 200);
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST(Server, HeadAnd204And304HaveNoBody) {
  TestServer server;
  server.handler.on_request = [](const Request& request, Responder responder) {
    const int status = request.path == "/204" ? 204 : request.path == "/304" ? 304 : 200;
    std::move(responder).Send({.status = status, .body = "hello"});
  };
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_EQ(client.ReadAnswer(/*is_head=*/true)->headers.at("content-length"), "5");
  for (const std::string path : {"/204", "/304"}) {
    ASSERT_TRUE(client.Send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_FALSE(client.ReadAnswer()->headers.contains("content-length"));
  }
  ASSERT_TRUE(client.Send(kGet));
  EXPECT_EQ(client.ReadAnswer()->body, "hello");
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

// Answered by another thread, one after another, although all have arrived.
TEST(Server, AnswersPipelinedRequestsLaterInOrder) {
  TestServer server;
  Waiting waiting;
  KeepIn(waiting, server);
  server.Start();
  RawClient client(server.address());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(client.Send(kGet));
  for (int i = 0; i < 20; ++i) {
    auto responder = waiting.Take();
    ASSERT_TRUE(responder);
    std::move(*responder).Send({.body = std::to_string(i)});
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.ReadAnswer()->body, std::to_string(i));
}

TEST(Server, SendsContinueOnlyForABodyThatIsWanted) {
  TestServer server;
  server.handler.on_head = [](const Request& head) {
    return head.path == "/ignored" ? BodyPolicy::kIgnore : BodyPolicy::kRead;
  };
  server.Start();
  const std::string rest =
      " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  RawClient client(server.address());
  ASSERT_TRUE(client.Send("POST /" + rest));
  EXPECT_EQ(client.ReadAnswer()->status, 100);
  ASSERT_TRUE(client.Send("hi"));
  EXPECT_EQ(client.ReadAnswer()->body, "POST / hi");
  ASSERT_TRUE(client.Send("POST /" + rest + "hi"));  // it did not wait: no 100
  EXPECT_EQ(client.ReadAnswer()->status, 200);
  ASSERT_TRUE(client.Send("POST /ignored" + rest));
  EXPECT_EQ(client.ReadAnswer()->status, 200);
}

// A proxy may announce a body that it never sends.
TEST(Server, V2_AnIgnoredBodyNeedNotCome) {
  TestServer server;
  server.handler.on_head = [](const Request&) { return BodyPolicy::kIgnore; };
  server.Start();
  for (const std::string version : {"1.0", "1.1"}) {
    RawClient client(server.address());
    ASSERT_TRUE(
        client.Send("GET /a HTTP/" + version + "\r\nHost: x\r\nContent-Length: 10\r\n\r\n"));
    const auto answer = client.ReadAnswer();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "GET /a ");
    EXPECT_EQ(answer->headers.at("connection"), "close");
    client.Send("GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(client.ReadToEnd(), "");
    EXPECT_FALSE(client.was_reset());
  }
  RawClient client(server.address());  // without a body the connection goes on
  ASSERT_TRUE(client.Send(std::string(kGet) + std::string(kGet)));
  EXPECT_EQ(client.ReadAnswer()->status, 200);
  EXPECT_EQ(client.ReadAnswer()->status, 200);
}

TEST(Server, AResponderThatIsDroppedAnswers500) {
  TestServer server;
  server.handler.on_request = [](const Request&, Responder) {};
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send(kGet));
  const auto answer = client.ReadAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(answer->headers.at("connection"), "close");
}

TEST(Server, AResponderMayBeUsedAfterTheClientHasGone) {
  TestServer server;
  Waiting waiting;
  KeepIn(waiting, server);
  server.Start();
  auto client = std::make_unique<RawClient>(server.address());
  ASSERT_TRUE(client->Send(kGet));
  auto responder = waiting.Take();
  ASSERT_TRUE(responder);
  client.reset();
  std::move(*responder).Send({.body = std::string(1'000'000, 'x')});
  RawClient other(server.address());
  ASSERT_TRUE(other.Send(kGet));
  std::move(*waiting.Take()).Send({.body = "alive"});
  EXPECT_EQ(other.ReadAnswer()->body, "alive");
}

TEST(Server, AResponderMayOutliveTheServer) {
  Waiting waiting;
  std::unique_ptr<Responder> responder;
  {
    TestServer server;
    KeepIn(waiting, server);
    server.Start();
    RawClient client(server.address());
    ASSERT_TRUE(client.Send(kGet));
    responder = waiting.Take();
    ASSERT_TRUE(responder);
  }
  std::move(*responder).Send({.body = "nobody hears it", .is_secret = true});
}

TEST(Server, TheExecutorIsTheThreadOfTheConnection) {
  TestServer server;
  std::promise<bool> is_same;
  server.handler.on_request = [&](const Request&, Responder responder) {
    const auto here = std::this_thread::get_id();
    Executor& executor = responder.executor();
    executor.Post([&, here, responder = std::move(responder)]() mutable {
      is_same.set_value(here == std::this_thread::get_id());
      std::move(responder).Send({.body = "later"});
    });
  };
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send(kGet));
  EXPECT_EQ(client.ReadAnswer()->body, "later");
  EXPECT_TRUE(is_same.get_future().get());
}

TEST(Server, AHeaderCannotEndItsLine) {
  TestServer server;
  server.handler.on_request = [](const Request&, Responder responder) {
    std::move(responder).Send({.headers = {{"X-Echo", "a\r\nSet-Cookie: b"}}});
  };
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send(kGet));
  const auto answer = client.ReadAnswer();
  EXPECT_EQ(answer->headers.at("x-echo"), "a  Set-Cookie: b");
  EXPECT_FALSE(answer->headers.contains("set-cookie"));
}

TEST(Server, ALargeAnswerArrivesWholeAndTheConnectionGoesOn) {
  TestServer server;
  const std::string body(20'000'000, 'x');
  server.handler.on_request = [&](const Request&, Responder responder) {
    std::move(responder).Send({.body = body});
  };
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send(std::string(kGet) + std::string(kGet)));
  for (int i = 0; i < 2; ++i) {
    const auto answer = client.ReadAnswer();
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->body == body);
  }
}

size_t ResidentBytes() {
  std::ifstream status("/proc/self/statm");
  size_t total = 0;
  size_t resident = 0;
  status >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

TEST(Server, C5_AFileIsSentWithConstantMemory) {
  constexpr uint64_t kBytes = uint64_t{100} * 1024 * 1024;
  TestServer server;
  server.handler.on_request = [&](const Request&, Responder responder) {
    UniqueFd file(memfd_create("body", MFD_CLOEXEC));
    ASSERT_EQ(ftruncate(file.get(), kBytes + 5), 0);  // more than is sent
    ASSERT_EQ(pwrite(file.get(), "end", 3, kBytes - 3), 3);
    std::move(responder).Send({.file = std::move(file), .file_bytes = kBytes});
  };
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send(std::string(kGet) + "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"));
  const size_t before = ResidentBytes();
  std::string head;
  uint64_t received = 0;
  std::array<char, 65536> bytes;
  while (received < kBytes) {
    const ssize_t count =
        recv(client.fd(), bytes.data(), std::min<uint64_t>(bytes.size(), kBytes - received), 0);
    ASSERT_GT(count, 0);
    if (head.empty()) {
      head.assign(bytes.data(), static_cast<size_t>(count));
      const size_t end = head.find("\r\n\r\n");
      ASSERT_NE(end, std::string::npos);
      EXPECT_NE(head.find("Content-Length: 104857600\r\n"), std::string::npos);
      received += static_cast<uint64_t>(count) - end - 4;
    } else {
      received += static_cast<uint64_t>(count);
    }
  }
  const auto answer = client.ReadAnswer(/*is_head=*/true);  // the connection goes on
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->headers.at("content-length"), "104857600");
  EXPECT_LT(ResidentBytes(), before + 16 * 1024 * 1024);
}

TEST(Server, AFileThatIsTooShortBreaksTheConnection) {
  TestServer server;
  server.handler.on_request = [&](const Request&, Responder responder) {
    UniqueFd file(memfd_create("body", MFD_CLOEXEC));
    ASSERT_EQ(write(file.get(), "abc", 3), 3);
    std::move(responder).Send({.file = std::move(file), .file_bytes = 10});
  };
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send(kGet));
  EXPECT_FALSE(client.ReadAnswer());
  EXPECT_TRUE(client.has_ended());
}

TEST(Server, ServesAUnixSocket) {
  const std::string path = ::testing::TempDir() + "p402_net_" + std::to_string(getpid()) + ".sock";
  TestServer server;
  server.options.listeners[0].address = "unix:" + path;
  server.options.threads = 2;
  std::string peer;
  server.handler.on_request = [&](const Request& request, Responder responder) {
    peer = request.peer;
    std::move(responder).Send({});
  };
  server.Start();
  struct stat status{};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660u);
  {
    RawClient client(server.address());
    ASSERT_TRUE(client.Send(kGet));
    EXPECT_EQ(client.ReadAnswer()->status, 200);
    EXPECT_EQ(peer, "unix");
  }
  TestServer second;
  second.options.listeners[0].address = "unix:" + path;
  EXPECT_FALSE(Server::Start(second.options, second.clock, second.log, *second.metrics));
  server.server.reset();
  EXPECT_NE(stat(path.c_str(), &status), 0);
}

TEST(Server, ReplacesAUnixSocketThatNobodyListensOn) {
  const std::string path = ::testing::TempDir() + "p402_old_" + std::to_string(getpid()) + ".sock";
  {
    const UniqueFd old(socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un un{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(un.sun_path, sizeof un.sun_path - 1);
    ASSERT_EQ(bind(old.get(), reinterpret_cast<sockaddr*>(&un), sizeof un), 0);
  }
  TestServer server;
  server.options.listeners[0].address = "unix:" + path;
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send(kGet));
  EXPECT_EQ(client.ReadAnswer()->status, 200);
}

TEST(Server, ServesIpv6) {
  TestServer server;
  server.options.listeners[0].address = "[::1]:0";
  std::string peer;
  server.handler.on_request = [&](const Request& request, Responder responder) {
    peer = request.peer;
    std::move(responder).Send({});
  };
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send(kGet));
  EXPECT_EQ(client.ReadAnswer()->status, 200);
  EXPECT_EQ(peer, "::1");
}

TEST(Server, AnIpv4ClientOfADualStackSocketHasItsIpv4Address) {
  TestServer server;
  server.options.listeners[0].address = "[::]:0";
  std::string peer;
  server.handler.on_request = [&](const Request& request, Responder responder) {
    peer = request.peer;
    std::move(responder).Send({});
  };
  server.Start();
  RawClient client("127.0.0.1" + server.address().substr(server.address().rfind(':')));
  ASSERT_TRUE(client.Send(kGet));
  EXPECT_EQ(client.ReadAnswer()->status, 200);
  EXPECT_EQ(peer, "127.0.0.1");
}

TEST(Server, RefusesAnAddressInUseAndABadOne) {
  TestServer server;
  server.options.threads = 2;
  server.Start();
  TestServer second;
  second.options.listeners[0].address = server.address();
  const auto in_use = Server::Start(second.options, second.clock, second.log, *second.metrics);
  ASSERT_FALSE(in_use);
  EXPECT_EQ(in_use.error().code, ErrorCode::kIo);
  EXPECT_NE(in_use.error().public_message.find(server.address()), std::string::npos);
  for (const std::string bad : {"", "4020", "localhost:1", "127.0.0.1", "127.0.0.1:",
                                "1.2.3.4:99999", "::1:80", "[::1:80", "unix:", "127.0.0.1:80x"}) {
    second.options.listeners[0].address = bad;
    const auto started = Server::Start(second.options, second.clock, second.log, *second.metrics);
    ASSERT_FALSE(started) << bad;
    EXPECT_EQ(started.error().code, ErrorCode::kInvalidArgument) << bad;
  }
}

TEST(Server, SpreadsConnectionsOverItsThreads) {
  TestServer server;
  server.options.threads = 3;
  std::mutex mutex;
  std::map<std::thread::id, int> counts;
  server.handler.on_request = [&](const Request&, Responder responder) {
    {
      const std::lock_guard lock(mutex);
      ++counts[std::this_thread::get_id()];
    }
    std::move(responder).Send({});
  };
  server.Start();
  for (int i = 0; i < 100; ++i) {
    RawClient client(server.address());
    ASSERT_TRUE(client.Send(kGet));
    ASSERT_TRUE(client.ReadAnswer());
  }
  EXPECT_EQ(counts.size(), 3u);
}

TEST(Server, CountsWhatItDoes) {
  TestServer server;
  server.Start();
  RawClient client(server.address());
  ASSERT_TRUE(client.Send(std::string(kGet) + "nonsense\r\n\r\n"));
  ASSERT_TRUE(client.ReadToEnd());
  const std::string text = server.metrics->Expose();
  EXPECT_NE(text.find("p402_http_requests_total{class=\"2xx\"} 1"), std::string::npos) << text;
  EXPECT_NE(text.find("p402_http_requests_total{class=\"4xx\"} 1"), std::string::npos);
  EXPECT_NE(text.find("p402_http_refused_total{refusal=\"bad_framing\"} 1"), std::string::npos);
  EXPECT_NE(text.find("p402_http_connections "), std::string::npos);
  // Times are observed at the end of the turn: before another request is read.
  RawClient other(server.address());
  ASSERT_TRUE(other.Send(kGet));
  ASSERT_TRUE(other.ReadAnswer());
  EXPECT_EQ(server.metrics->Expose().find("p402_http_request_seconds_count 0"), std::string::npos);
}

}  // namespace
}  // namespace p402::net
