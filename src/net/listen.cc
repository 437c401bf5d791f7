#include "net/listen.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <system_error>

namespace p402::net {
namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn
constexpr mode_t kUnixMode = 0660;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t bytes = sizeof(sockaddr_storage);
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Failure BadAddress(const std::string& address) {
  return InvalidArgument(
      "listen", fmt::format("\"{}\" is none of 127.0.0.1:4020, [::1]:4020, unix:/path", address));
}

Failure CannotListen(const std::string& address) {
  std::string text =
      fmt::format("cannot listen on {}: {}", address, std::system_category().message(errno));
  return Failure(Error{.code = ErrorCode::kIo, .detail = text, .public_message = text});
}

Result<SocketAddress> ParseTcp(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size()) return BadAddress(address);
  uint16_t port = 0;
  const char* const end = address.data() + address.size();
  const auto [ptr, error] = std::from_chars(address.data() + colon + 1, end, port);
  if (error != std::errc() || ptr != end) return BadAddress(address);
  std::string host = address.substr(0, colon);

  SocketAddress out;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    auto& in = reinterpret_cast<sockaddr_in6&>(out.storage);
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    out.bytes = sizeof in;
    if (inet_pton(AF_INET6, host.c_str(), &in.sin6_addr) != 1) return BadAddress(address);
    return out;
  }
  auto& in = reinterpret_cast<sockaddr_in&>(out.storage);
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  out.bytes = sizeof in;
  if (inet_pton(AF_INET, host.c_str(), &in.sin_addr) != 1) return BadAddress(address);
  return out;
}

UniqueFd NewSocket(int family) {
  return UniqueFd(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

bool SetFlag(const UniqueFd& fd, int level, int name) {
  const int on = 1;
  return setsockopt(fd.get(), level, name, &on, sizeof on) == 0;
}

// The first socket binds without SO_REUSEPORT, so that a port which another server holds is an
// error even if both are ours; the flag is set before it listens, for the sockets of the other
// threads.
Result<UniqueFd> BindTcp(const std::string& address, SocketAddress& at, bool is_first) {
  UniqueFd fd = NewSocket(at.storage.ss_family);
  const bool is_bound =
      fd.is_open() && SetFlag(fd, SOL_SOCKET, SO_REUSEADDR) &&
      (is_first || SetFlag(fd, SOL_SOCKET, SO_REUSEPORT)) &&
      bind(fd.get(), at.get(), at.bytes) == 0 && SetFlag(fd, SOL_SOCKET, SO_REUSEPORT) &&
      SetFlag(fd, IPPROTO_TCP, TCP_NODELAY) &&  // inherited by what it accepts
      listen(fd.get(), kBacklog) == 0 && getsockname(fd.get(), at.get(), &at.bytes) == 0;
  if (!is_bound) return CannotListen(address);
  return fd;
}

std::string Describe(const std::string& address, const SocketAddress& at) {
  const in_port_t port = at.storage.ss_family == AF_INET
                             ? reinterpret_cast<const sockaddr_in&>(at.storage).sin_port
                             : reinterpret_cast<const sockaddr_in6&>(at.storage).sin6_port;
  return fmt::format("{}:{}", std::string_view(address).substr(0, address.rfind(':')), ntohs(port));
}

// True if a socket file is there that nobody listens on.
bool IsAbandoned(const SocketAddress& at, const char* path) {
  struct stat status{};
  if (lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const UniqueFd fd = NewSocket(AF_UNIX);
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&at.storage), at.bytes) != 0 &&
         errno == ECONNREFUSED;
}

Result<Bound> BindUnix(const std::string& address, int threads) {
  Bound bound{.address = address, .unix_path = address.substr(std::strlen("unix:"))};
  SocketAddress at;
  auto& un = reinterpret_cast<sockaddr_un&>(at.storage);
  if (bound.unix_path.empty() || bound.unix_path.size() >= sizeof un.sun_path) {
    return BadAddress(address);
  }
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, bound.unix_path.c_str(), bound.unix_path.size() + 1);
  at.bytes = sizeof un;
  const char* const path = bound.unix_path.c_str();
  if (IsAbandoned(at, path)) unlink(path);

  UniqueFd fd = NewSocket(AF_UNIX);
  if (!fd.is_open() || bind(fd.get(), at.get(), at.bytes) != 0) return CannotListen(address);
  // Nobody can connect before listen, so nobody sees the mode that the umask gave it.
  if (chmod(path, kUnixMode) != 0 || listen(fd.get(), kBacklog) != 0) {
    Failure failure = CannotListen(address);
    unlink(path);
    return failure;
  }
  for (int i = 1; i < threads; ++i) {
    bound.sockets.emplace_back(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!bound.sockets.back().is_open()) return CannotListen(address);
  }
  bound.sockets.push_back(std::move(fd));
  return bound;
}

}  // namespace

Result<Bound> Bind(const std::string& address, int threads) {
  if (address.starts_with("unix:")) return BindUnix(address, threads);
  P402_TRY(SocketAddress at, ParseTcp(address));
  Bound bound;
  for (int i = 0; i < threads; ++i) {
    P402_TRY(UniqueFd fd, BindTcp(address, at, /*is_first=*/i == 0));
    bound.sockets.push_back(std::move(fd));
  }
  bound.address = Describe(address, at);
  return bound;
}

}  // namespace p402::net
