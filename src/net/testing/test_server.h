#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/testing/fakes.h"
#include "net/server.h"

namespace p402::net::testing {

// A handler made of functions. The default answers 200 with what it was asked.
struct FunctionHandler final : Handler {
  std::function<BodyPolicy(const Request&)> on_head = [](const Request&) {
    return BodyPolicy::kRead;
  };
  std::function<std::optional<DirectAnswer>(const Request&, std::string&)> answer_directly =
      [](const Request&, std::string&) { return std::nullopt; };
  std::function<void(const Request&, Responder)> on_request = [](const Request& request,
                                                                 Responder responder) {
    std::move(responder).Send({.content_type = "text/plain",
                               .body = std::string(request.method) + " " +
                                       std::string(request.target) + " " +
                                       std::string(request.body)});
  };

  BodyPolicy OnHead(const Request& head) override { return on_head(head); }
  std::optional<DirectAnswer> AnswerDirectly(const Request& request,
                                             std::string& scratch) override {
    return answer_directly(request, scratch);
  }
  void OnRequest(const Request& request, Responder responder) override {
    on_request(request, std::move(responder));
  }
  Response OnRefused(Refusal refusal, std::string_view detail) override {
    return {.status = RefusalStatus(refusal),
            .content_type = "text/plain",
            .body = std::string(detail)};
  }
};

// A server on a free port of the loopback. `handler` is used once Start has been called.
class TestServer {
 public:
  TestServer() { options.listeners.push_back({.address = "127.0.0.1:0", .handler = &handler}); }

  void Start() {
    auto started = Server::Start(options, clock, log, *metrics);
    P402_CHECK(started);
    server = *std::move(started);
  }
  std::string address() const { return server->addresses().front(); }

  FunctionHandler handler;
  ServerOptions options;
  RealClock clock;
  p402::testing::MemoryLog log;
  std::unique_ptr<Metrics> metrics = Metrics::Create();
  std::unique_ptr<Server> server;
};

}  // namespace p402::net::testing
