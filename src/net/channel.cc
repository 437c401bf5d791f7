#include "net/channel.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace p402::net {
namespace {

bool WouldBlock() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

IoStep Receive(int fd, std::span<char> into) {
  ssize_t count;
  do {
    count = recv(fd, into.data(), into.size(), 0);
  } while (count < 0 && errno == EINTR);
  if (count > 0) {
    const auto bytes = static_cast<size_t>(count);
    return {.kind = IoKind::kDone, .bytes = bytes, .is_drained = bytes < into.size()};
  }
  if (count == 0) return {.kind = IoKind::kEnd};
  if (!WouldBlock()) return {.kind = IoKind::kFailed};
  return {.kind = IoKind::kWantReadable, .is_drained = true};
}

}  // namespace

void Channel::FreeSsl::operator()(SSL* ssl) const {
  SSL_free(ssl);
}

bool Channel::StartTls(SSL_CTX& context) {
  ssl_.reset(SSL_new(&context));
  if (!ssl_ || SSL_set_fd(ssl_.get(), fd_) != 1) return false;
  SSL_set_accept_state(ssl_.get());
  return true;
}

IoStep Channel::Explain(int result) const {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {.kind = IoKind::kWantReadable, .is_drained = true};
    case SSL_ERROR_WANT_WRITE:
      return {.kind = IoKind::kWantWritable};
    case SSL_ERROR_ZERO_RETURN:
      return {.kind = IoKind::kEnd};
    default:
      break;
  }
  const bool is_http = ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST;
  ERR_clear_error();
  return {.kind = is_http ? IoKind::kPlainHttp : IoKind::kFailed};
}

IoStep Channel::Handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  return result == 1 ? IoStep{.kind = IoKind::kDone} : Explain(result);
}

IoStep Channel::Read(std::span<char> into) {
  if (!ssl_) return Receive(fd_, into);
  ERR_clear_error();
  size_t count = 0;
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
  return result == 1 ? IoStep{.kind = IoKind::kDone, .bytes = count} : Explain(result);
}

IoStep Channel::Write(std::string_view bytes) {
  if (ssl_) {
    ERR_clear_error();
    size_t count = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
    return result == 1 ? IoStep{.kind = IoKind::kDone, .bytes = count} : Explain(result);
  }
  ssize_t count;
  do {
    count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  if (count >= 0) return {.kind = IoKind::kDone, .bytes = static_cast<size_t>(count)};
  return {.kind = WouldBlock() ? IoKind::kWantWritable : IoKind::kFailed};
}

bool Channel::HasPending() const {
  return ssl_ && SSL_has_pending(ssl_.get()) == 1;
}

void Channel::EndOutput() {
  if (ssl_ && SSL_is_init_finished(ssl_.get())) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  shutdown(fd_, SHUT_WR);
}

IoStep Channel::Discard(size_t max_bytes) {
  std::array<char, 4096> scratch;
  IoStep step{.kind = IoKind::kDone};
  size_t total = 0;
  while (total < max_bytes) {
    step = Receive(fd_, std::span(scratch).first(std::min(scratch.size(), max_bytes - total)));
    if (step.kind != IoKind::kDone) break;
    total += step.bytes;
  }
  OPENSSL_cleanse(scratch.data(), std::min(scratch.size(), total));
  step.bytes = total;
  return step;
}

}  // namespace p402::net
