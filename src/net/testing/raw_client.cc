#include "net/testing/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "net/ascii.h"

namespace p402::net::testing {
namespace {

bool Connect(const UniqueFd& fd, const sockaddr* address, socklen_t bytes) {
  return connect(fd.get(), address, bytes) == 0;
}

bool ConnectUnix(UniqueFd& fd, const std::string& path) {
  fd = UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.c_str(), path.size() + 1);
  return Connect(fd, reinterpret_cast<sockaddr*>(&un), sizeof un);
}

bool ConnectTcp(UniqueFd& fd, const std::string& address) {
  const size_t colon = address.rfind(':');
  uint16_t port = 0;
  std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
  const bool is_v6 = address.front() == '[';
  fd = UniqueFd(socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (is_v6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    inet_pton(AF_INET6, address.substr(1, colon - 2).c_str(), &in.sin6_addr);
    return Connect(fd, reinterpret_cast<sockaddr*>(&in), sizeof in);
  }
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &in.sin_addr);
  return Connect(fd, reinterpret_cast<sockaddr*>(&in), sizeof in);
}

RawAnswer ParseHead(std::string head) {
  RawAnswer answer;
  if (head.size() > 12) std::from_chars(head.data() + 9, head.data() + 12, answer.status);
  for (size_t pos = head.find("\r\n") + 2; pos + 2 < head.size();) {
    const size_t end = head.find("\r\n", pos);
    const std::string line = head.substr(pos, end - pos);
    const size_t colon = line.find(':');
    std::string name = line.substr(0, colon);
    for (char& c : name) c = ToLowerAscii(c);
    answer.headers[name] = TrimBlanks(std::string_view(line).substr(colon + 1));
    pos = end + 2;
  }
  answer.head = std::move(head);
  return answer;
}

}  // namespace

RawClient::RawClient(const std::string& address) {
  is_connected_ =
      address.starts_with("unix:") ? ConnectUnix(fd_, address.substr(5)) : ConnectTcp(fd_, address);
}

bool RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

void RawClient::EndOutput() {
  shutdown(fd_.get(), SHUT_WR);
}

bool RawClient::ReadMore(std::chrono::milliseconds patience) {
  if (has_ended_) return false;
  pollfd waited{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  if (poll(&waited, 1, static_cast<int>(patience.count())) <= 0) return false;
  std::array<char, 65536> bytes;
  const ssize_t count = recv(fd_.get(), bytes.data(), bytes.size(), 0);
  if (count <= 0) {
    has_ended_ = true;
    was_reset_ = count < 0 && errno == ECONNRESET;
    return false;
  }
  buffer_.append(bytes.data(), static_cast<size_t>(count));
  return true;
}

std::optional<RawAnswer> RawClient::ReadAnswer(bool is_head) {
  size_t end;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!ReadMore()) return std::nullopt;
  }
  RawAnswer answer = ParseHead(buffer_.substr(0, end + 4));
  buffer_.erase(0, end + 4);
  size_t bytes = 0;
  if (const auto it = answer.headers.find("content-length");
      it != answer.headers.end() && !is_head) {
    std::from_chars(it->second.data(), it->second.data() + it->second.size(), bytes);
  }
  while (buffer_.size() < bytes) {
    if (!ReadMore()) return std::nullopt;
  }
  answer.body = buffer_.substr(0, bytes);
  buffer_.erase(0, bytes);
  return answer;
}

std::optional<std::string> RawClient::ReadToEnd(std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!has_ended_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return std::nullopt;
    ReadMore(left);
  }
  return std::exchange(buffer_, {});
}

}  // namespace p402::net::testing
