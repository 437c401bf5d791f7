#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "net/server.h"
#include "net/testing/certificate.h"
#include "net/testing/raw_client.h"
#include "net/testing/test_server.h"

namespace p402::net {
namespace {

using testing::RawClient;
using testing::TestServer;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

struct TlsOptions {
  int version = TLS1_3_VERSION;
  std::string alpn = {};  // in wire form
};

// A blocking client of TLS that trusts everybody.
class TlsClient {
 public:
  explicit TlsClient(const std::string& address, const TlsOptions& options = {})
      : socket_(address), context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free) {
    SSL_CTX_set_min_proto_version(context_.get(), options.version);
    SSL_CTX_set_max_proto_version(context_.get(), options.version);
    SSL_CTX_set_cipher_list(context_.get(), "ALL:@SECLEVEL=0");
    if (!options.alpn.empty()) {
      SSL_CTX_set_alpn_protos(context_.get(),
                              reinterpret_cast<const unsigned char*>(options.alpn.data()),
                              static_cast<unsigned>(options.alpn.size()));
    }
    ssl_.reset(SSL_new(context_.get()));
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    SSL_set_fd(ssl_.get(), socket_.fd());
    is_connected_ = SSL_connect(ssl_.get()) == 1;
    ERR_clear_error();
  }

  bool is_connected() const { return is_connected_; }
  SSL* ssl() { return ssl_.get(); }
  std::string Name() {
    const std::unique_ptr<X509, void (*)(X509*)> peer(SSL_get1_peer_certificate(ssl_.get()),
                                                      &X509_free);
    std::array<char, 64> text{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(peer.get()), NID_commonName, text.data(),
                              static_cast<int>(text.size()));
    return text.data();
  }
  bool Send(std::string_view bytes) {
    return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) ==
           static_cast<int>(bytes.size());
  }
  // Reads until `bytes` have come, or the end.
  std::string Read(size_t bytes) {
    std::string out;
    std::array<char, 16384> part;
    while (out.size() < bytes) {
      const int count =
          SSL_read(ssl_.get(), part.data(),
                   static_cast<int>(std::min<size_t>(part.size(), bytes - out.size())));
      if (count <= 0) break;
      out.append(part.data(), static_cast<size_t>(count));
    }
    return out;
  }
  std::string ReadHead() {
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
      const std::string one = Read(1);
      if (one.empty()) break;
      head += one;
    }
    return head;
  }

 private:
  RawClient socket_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_{nullptr, &SSL_free};
  bool is_connected_ = false;
};

class Tls : public ::testing::Test {
 protected:
  Tls() : folder_(::testing::TempDir() + "p402_tls_" + std::to_string(getpid())) {
    std::filesystem::create_directories(folder_);
    files_ = testing::MakeCertificate(folder_, "first");
    server_.options.listeners[0].tls = files_;
  }
  ~Tls() override { std::filesystem::remove_all(folder_); }

  void Install(const TlsFiles& from) {
    const auto over = std::filesystem::copy_options::overwrite_existing;
    std::filesystem::copy_file(from.certificate, files_.certificate, over);
    std::filesystem::copy_file(from.private_key, files_.private_key, over);
  }

  std::string folder_;
  TlsFiles files_;
  TestServer server_;
};

TEST_F(Tls, S3_Speaks12And13AndNothingOlder) {
  bool was_tls = false;
  server_.handler.on_request = [&](const Request& request, Responder responder) {
    was_tls = request.is_tls;
    std::move(responder).Send({.body = "hello"});
  };
  server_.Start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(server_.address(), {.version = version});
    ASSERT_TRUE(client.is_connected());
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(client.Send(kGet));
      EXPECT_TRUE(client.ReadHead().starts_with("HTTP/1.1 200 OK\r\n"));
      EXPECT_EQ(client.Read(5), "hello");
    }
    EXPECT_TRUE(was_tls);
  }
  EXPECT_FALSE(TlsClient(server_.address(), {.version = TLS1_1_VERSION}).is_connected());
}

TEST_F(Tls, S3_ChoosesHttp11AndRefusesOthers) {
  server_.Start();
  TlsClient both(server_.address(), {.alpn = "\x02h2\x08http/1.1"});
  ASSERT_TRUE(both.is_connected());
  const unsigned char* name = nullptr;
  unsigned bytes = 0;
  SSL_get0_alpn_selected(both.ssl(), &name, &bytes);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(name), bytes), "http/1.1");
  EXPECT_FALSE(TlsClient(server_.address(), {.alpn = "\x02h2"}).is_connected());
}

TEST_F(Tls, PipelinedRequestsAndLargeAnswers) {
  const std::string body(300'000, 'x');
  server_.handler.on_request = [&](const Request& request, Responder responder) {
    std::move(responder).Send({.body = request.body.empty() ? body : std::string(request.body)});
  };
  server_.Start();
  TlsClient client(server_.address());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.Send(kGet));
  for (int i = 0; i < 3; ++i) {
    client.ReadHead();
    EXPECT_TRUE(client.Read(body.size()) == body);
  }
  ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n" +
                          std::string(60000, 'y')));
  client.ReadHead();
  EXPECT_EQ(client.Read(60000), std::string(60000, 'y'));
}

TEST_F(Tls, ManySmallRequestsInOneRecord) {
  server_.Start();
  TlsClient client(server_.address());
  std::string requests;
  for (int i = 0; i < 500; ++i) requests += kGet;  // a record of 14 KiB
  ASSERT_TRUE(client.Send(requests));
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(client.ReadHead().starts_with("HTTP/1.1 200 OK\r\n")) << i;
    ASSERT_EQ(client.Read(6), "GET / ");
  }
}

TEST_F(Tls, S3_ReloadIsForNewConnections) {
  server_.Start();
  TlsClient old(server_.address());
  EXPECT_EQ(old.Name(), "first");
  Install(testing::MakeCertificate(folder_, "second"));
  ASSERT_TRUE(server_.server->ReloadTls());
  EXPECT_EQ(TlsClient(server_.address()).Name(), "second");
  ASSERT_TRUE(old.Send(kGet));
  EXPECT_TRUE(old.ReadHead().starts_with("HTTP/1.1 200"));
}

TEST_F(Tls, S3_BadFilesKeepTheOldOnes) {
  server_.Start();
  const TlsFiles other = testing::MakeCertificate(folder_, "other");
  std::filesystem::copy_file(other.private_key, files_.private_key,
                             std::filesystem::copy_options::overwrite_existing);
  const Status mismatch = server_.server->ReloadTls();
  ASSERT_FALSE(mismatch);
  EXPECT_EQ(mismatch.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(TlsClient(server_.address()).Name(), "first");
  std::filesystem::remove(files_.certificate);
  EXPECT_FALSE(server_.server->ReloadTls());
  EXPECT_EQ(TlsClient(server_.address()).Name(), "first");
}

TEST_F(Tls, BadFilesDoNotStart) {
  server_.options.listeners[0].tls->private_key = files_.certificate;
  const auto started = Server::Start(server_.options, server_.clock, server_.log, *server_.metrics);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(started.error().public_message.find("first.pem"), std::string::npos);
}

TEST_F(Tls, PlainHttpIsToldSo) {
  server_.Start();
  RawClient client(server_.address());
  ASSERT_TRUE(client.Send(kGet));
  const auto answer = client.ReadAnswer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 400);
  EXPECT_NE(answer->body.find("TLS"), std::string::npos);
  EXPECT_EQ(client.ReadToEnd(), "");
  RawClient rubbish(server_.address());
  ASSERT_TRUE(rubbish.Send("\x01\x02\x03 rubbish that is neither\r\n\r\n"));
  EXPECT_TRUE(rubbish.ReadToEnd());
}

TEST_F(Tls, S3_ASlowHandshakeIsCut) {
  server_.options.head_deadline = Millis(300);
  server_.Start();
  RawClient client(server_.address());
  ASSERT_TRUE(client.Send(std::string_view("\x16\x03\x01", 3)));
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST_F(Tls, C1_DrainEndsIdleConnectionsCleanly) {
  server_.Start();
  TlsClient client(server_.address());
  ASSERT_TRUE(client.Send(kGet));
  client.ReadHead();
  client.Read(6);
  EXPECT_EQ(server_.server->Drain(Millis(5000)), 0u);
  char byte = 0;
  const int result = SSL_read(client.ssl(), &byte, 1);
  EXPECT_EQ(SSL_get_error(client.ssl(), result), SSL_ERROR_ZERO_RETURN);  // close_notify
}

}  // namespace
}  // namespace p402::net
