#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace p402::net {

enum class IoKind : uint8_t {
  kDone,          // `bytes` were moved; for a handshake: it is complete
  kWantReadable,  // again when the descriptor is readable
  kWantWritable,  // again when it is writable
  kEnd,           // the other end sends no more
  kFailed,        // the connection is of no use
  kPlainHttp,     // a handshake met a plain HTTP request
};

struct IoStep {
  IoKind kind = IoKind::kFailed;
  size_t bytes = 0;
  bool is_drained = false;  // a read has taken everything that had arrived (false: perhaps)
};

// The bytes of one connection over a non-blocking socket, through TLS or not. Never blocks, never
// raises SIGPIPE outside of threads that block it.
// Threads: one.
class Channel {
 public:
  explicit Channel(int fd) : fd_(fd) {}
  // A server's end of TLS. False: out of memory.
  bool StartTls(SSL_CTX& context);

  bool is_tls() const { return ssl_ != nullptr; }
  IoStep Handshake();
  IoStep Read(std::span<char> into);
  IoStep Write(std::string_view bytes);
  // Bytes that were received but not read: no readiness will report them.
  bool HasPending() const;
  // Says that nothing more will be sent (TLS: close_notify first).
  void EndOutput();
  // Reads and drops what has arrived, as it is on the wire, at most `max_bytes`.
  IoStep Discard(size_t max_bytes);
  void DropTls() { ssl_.reset(); }

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const;
  };
  IoStep Explain(int result) const;

  int fd_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
};

}  // namespace p402::net
