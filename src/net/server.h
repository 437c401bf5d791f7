#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "net/message.h"

namespace p402::net {

// Answers one request, once. Destroyed unused, it answers 500 and closes.
// Threads: Send may be called from any thread, at any time later, also after the client has gone.
// It does not block.
class Responder {
 public:
  class Target {
   public:
    virtual ~Target() = default;
    virtual void Send(Response response) = 0;
    virtual Executor& executor() = 0;
  };
  explicit Responder(std::shared_ptr<Target> target) : target_(std::move(target)) {}
  Responder(Responder&&) = default;
  Responder& operator=(Responder&&) = delete;
  ~Responder();

  void Send(Response response) &&;
  // The I/O thread of the connection, for completions: "complete on the caller's executor".
  // Lifetime: the server's.
  Executor& executor() const { return target_->executor(); }

 private:
  std::shared_ptr<Target> target_;
};

enum class BodyPolicy : uint8_t {
  kRead,    // wait for the body, up to the limit, before the request is answered
  kIgnore,  // answer at once, as if the body were empty, and close
};

// What the server calls.
// Threads: concurrently, from every I/O thread; must not block.
class Handler {
 public:
  virtual ~Handler() = default;
  // The head of a request that announces a body is complete. `head.body` is empty.
  virtual BodyPolicy OnHead(const Request& head) = 0;
  // Answers a complete request at once, or nullopt: OnRequest follows. It writes no credential.
  // Lifetime: the answer points into `scratch` (this thread's own; it keeps the room that it has
  // grown to) or to what is static; it is used before the next call on this thread.
  // Cost: the server allocates nothing for such an answer on a connection that has answered before.
  virtual std::optional<DirectAnswer> AnswerDirectly([[maybe_unused]] const Request& request,
                                                     [[maybe_unused]] std::string& scratch) {
    return std::nullopt;
  }
  virtual void OnRequest(const Request& request, Responder responder) = 0;
  // The text of an answer to a request that never became one. `detail` is fit for the client.
  virtual Response OnRefused(Refusal refusal, std::string_view detail) = 0;
};

struct TlsFiles {
  std::string certificate;  // PEM, the chain, leaf first
  std::string private_key;  // PEM
};

struct Listener {
  // "127.0.0.1:4020", "[::1]:0", or "unix:/path" (mode 0660, removed at the end). Port 0: any free
  // one.
  std::string address;
  std::optional<TlsFiles> tls = {};
  Handler* handler = nullptr;  // for Start()
};

struct ServerOptions {
  std::vector<Listener> listeners;
  int threads = 1;
  Millis head_deadline = limits::kHeadDeadline;  // from the first byte (or the TLS handshake's
                                                 // start) to the whole head
  Millis body_deadline = limits::kBodyDeadline;  // from the head to the whole body
  Millis idle_deadline = limits::kIdleDeadline;  // between requests
  Millis write_deadline =
      limits::kWriteDeadline;  // for the client to take an answer (a file: for each part of it)
  size_t max_body_bytes = limits::kBodyBytes;
  size_t max_connections = 10'000;
};

// An HTTP/1.0 and HTTP/1.1 server with keep-alive and pipelining, over TCP, TLS 1.2 and 1.3, and
// Unix sockets.
//
// RFC 9112, strictly: everything that two parsers could read differently is refused with 400 and
// the connection is closed (two Content-Length, Content-Length with Transfer-Encoding, bare CR or
// LF, white space before the colon, folded headers, a bad chunk size, no or two Host in HTTP/1.1
// …). Requests of one connection are answered in order, one at a time.
class Server {
 public:
  // Binds every listener; who connects waits for Serve().
  // Errors: kIo naming the address (in use, not permitted), kInvalidArgument (a bad address, a
  //         certificate that does not load or does not fit its private key).
  // Lifetime: clock, log and metrics outlive the server.
  static Result<std::unique_ptr<Server>> Bind(ServerOptions options, const Clock& clock, Log& log,
                                              Metrics& metrics);
  // Serves with `handlers`: one for each listener, in their order.
  // Lifetime: the handlers outlive the server.
  // Errors:   kIo if no thread can be made.
  // Requires: it was not called before.
  virtual Status Serve(const std::vector<Handler*>& handlers) = 0;
  // Bind() and Serve() with the handlers that the listeners name.
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, const Clock& clock, Log& log,
                                               Metrics& metrics);
  virtual ~Server() = default;  // cuts what is still open

  // The bound addresses in the order of the listeners, "127.0.0.1:41873".
  virtual std::vector<std::string> addresses() const = 0;
  // Loads the certificates again; new connections use them. On an error the old ones stay.
  virtual Status ReloadTls() = 0;
  // Stops accepting, closes idle connections, answers requests in flight with "Connection: close".
  // Blocks until the last connection has ended, at most `grace`; then the rest is cut. Returns how
  // many were cut.
  virtual size_t Drain(Millis grace) = 0;
};

}  // namespace p402::net
