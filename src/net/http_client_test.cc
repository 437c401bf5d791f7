#include "net/http_client.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "net/testing/certificate.h"
#include "net/testing/raw_client.h"
#include "net/testing/test_server.h"

namespace p402::net {
namespace {

using testing::TestServer;

class Client : public ::testing::Test {
 protected:
  void SetUp() override {
    // The machine's proxy is not asked.
    setenv("no_proxy", "*", 1);
    client_ = *HttpClient::Create();
  }
  std::string Url(const std::string& path) { return "http://" + server_.address() + path; }

  TestServer server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(Client, SendsWhatItIsTold) {
  std::string seen;
  server_.handler.on_request = [&](const Request& request, Responder responder) {
    seen = std::string(request.method) + " " + std::string(request.target) + " " +
           std::string(request.Header("authorization").value_or("none")) + " " +
           std::string(request.Header("x-a").value_or("none")) + " " +
           std::string(request.Header("x-empty").value_or("none")) + "|" +
           std::string(request.Header("expect").value_or("none")) + " " + std::string(request.body);
    std::move(responder).Send({.status = 201, .headers = {{"X-B", " c "}}, .body = "made"});
  };
  server_.Start();
  const Secret bearer = Secret::CopyOf("token");
  const auto response = client_->Send({.method = "PATCH",
                                       .url = Url("/a?b"),
                                       .headers = {{"X-A", "1"}, {"X-Empty", ""}},
                                       .bearer = &bearer,
                                       .body = "hello"});
  ASSERT_TRUE(response);
  EXPECT_EQ(seen, "PATCH /a?b Bearer token 1 |none hello");
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->headers.at("x-b"), "c");
  EXPECT_EQ(response->body, "made");
}

TEST_F(Client, EveryMethodOnOneConnection) {
  server_.Start();
  for (const std::string method : {"GET", "POST", "DELETE", "PATCH", "GET"}) {
    const auto response = client_->Send({.method = method, .url = Url("/")});
    ASSERT_TRUE(response) << method;
    EXPECT_EQ(response->body, method + " / ");
  }
  const auto head = client_->Send({.method = "HEAD", .url = Url("/")});
  ASSERT_TRUE(head);
  EXPECT_EQ(head->body, "");
}

TEST_F(Client, DoesNotFollowRedirects) {
  server_.handler.on_request = [](const Request&, Responder responder) {
    std::move(responder).Send({.status = 302, .headers = {{"Location", "/elsewhere"}}});
  };
  server_.Start();
  EXPECT_EQ(client_->Send({.url = Url("/")})->status, 302);
}

TEST_F(Client, TheSinkGetsABodyInParts) {
  const std::string body(1'000'000, 'x');
  server_.handler.on_request = [&](const Request& request, Responder responder) {
    std::move(responder).Send({.status = request.path == "/bad" ? 500 : 200, .body = body});
  };
  server_.Start();
  std::string received;
  const auto sink = [&](std::string_view part) {
    received += part;
    return true;
  };
  const auto good = client_->Send({.url = Url("/"), .sink = sink});
  ASSERT_TRUE(good);
  EXPECT_TRUE(received == body);
  EXPECT_EQ(good->body, "");
  const auto bad = client_->Send({.url = Url("/bad"), .sink = sink});
  ASSERT_TRUE(bad);
  EXPECT_EQ(bad->body.size(), body.size());
  EXPECT_EQ(received.size(), body.size());
  const auto full =
      client_->Send({.url = Url("/"), .sink = [](std::string_view) { return false; }});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kIo);
}

TEST_F(Client, C3_NamesAHostThatIsNotThere) {
  server_.Start();
  const std::string url = Url("/private/path");
  const std::string address = server_.address();
  server_.server.reset();
  const auto response = client_->Send({.url = url});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(response.error().public_message.find(address), std::string::npos);
  EXPECT_EQ(response.error().public_message.find("private"), std::string::npos);
}

TEST_F(Client, RefusesOtherUrlsAndHeadersWithLineEnds) {
  for (const std::string url : {"file:///etc/passwd", "ftp://a/", "", "http://"}) {
    const auto response = client_->Send({.url = url});
    ASSERT_FALSE(response) << url;
    EXPECT_EQ(response.error().code, ErrorCode::kInvalidArgument) << url;
  }
  EXPECT_FALSE(client_->Send({.url = "http://a/", .headers = {{"X", "a\r\nY: b"}}}));
  const Secret bearer = Secret::CopyOf("a\r\nY: b");
  EXPECT_FALSE(client_->Send({.url = "http://a/", .bearer = &bearer}));
}

TEST_F(Client, TimesOut) {
  std::unique_ptr<Responder> kept;
  server_.handler.on_request = [&](const Request&, Responder responder) {
    kept = std::make_unique<Responder>(std::move(responder));
  };
  server_.Start();
  const auto response = client_->Send({.url = Url("/"), .timeout = Millis(100)});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
  server_.server.reset();
}

TEST_F(Client, VerifiesCertificates) {
  const std::string folder = ::testing::TempDir() + "p402_client_" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  const TlsFiles files = testing::MakeCertificate(folder, "client");
  server_.options.listeners[0].tls = files;
  server_.Start();
  const std::string url = "https://" + server_.address() + "/";
  const auto distrusted = client_->Send({.url = url});
  ASSERT_FALSE(distrusted);
  EXPECT_EQ(distrusted.error().code, ErrorCode::kUnavailable);
  const auto trusting = *HttpClient::Create(files.certificate);
  const auto trusted = trusting->Send({.url = url});
  ASSERT_TRUE(trusted) << trusted.error().detail;
  EXPECT_EQ(trusted->status, 200);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace p402::net
