#include "net/acceptor.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace p402::net {
namespace {

constexpr int kAcceptsPerTurn = 64;
// So many connections beyond the maximum are told 503; more wait in the kernel's queue.
constexpr size_t kRefusalRoom = 64;
constexpr std::chrono::seconds kWarningInterval{10};

// The numeric address; an IPv4 client of a dual-stack socket looks like any other IPv4 client.
std::string PeerText(const sockaddr_storage& storage) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(storage);
    inet_ntop(AF_INET, &in.sin_addr, text.data(), text.size());
  } else if (storage.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(storage);
    const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&in.sin6_addr);
    const void* const bytes = is_mapped ? in.sin6_addr.s6_addr + 12 : in.sin6_addr.s6_addr;
    inet_ntop(is_mapped ? AF_INET : AF_INET6, bytes, text.data(), text.size());
  } else {
    return "unix";
  }
  return text.data();
}

bool IsOutOfResources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Acceptor::Acceptor(Worker& worker, Port& port, UniqueFd socket)
    : worker_(worker), port_(port), watch_(worker.loop(), std::move(socket)) {}

void Acceptor::Start() {
  if (!watch_.is_open()) return;
  watch_.Attach(shared_from_this());
  Resume();
}

void Acceptor::Resume() {
  is_paused_ = false;
  if (watch_.is_open()) watch_.AwaitReadable();
}

void Acceptor::OnTick() {
  if (is_paused_) Resume();
}

void Acceptor::OnReadable() {
  Outcome outcome = Outcome::kAccepted;
  for (int i = 0; i < kAcceptsPerTurn && outcome == Outcome::kAccepted; ++i) outcome = AcceptOne();
  if (outcome == Outcome::kPaused) {
    is_paused_ = true;  // until the next tick: waiting for readiness would spin
    return;
  }
  Resume();
}

void Acceptor::Drain() {
  while (watch_.is_open() && AcceptOne() == Outcome::kAccepted) {
  }
  Close();
}

Acceptor::Outcome Acceptor::AcceptOne() {
  Shared& shared = worker_.shared();
  const size_t open = shared.open.load(std::memory_order_relaxed);
  if (open >= shared.max_connections + kRefusalRoom) return Outcome::kPaused;
  sockaddr_storage peer{};
  socklen_t bytes = sizeof peer;
  UniqueFd socket(accept4(watch_.fd(), reinterpret_cast<sockaddr*>(&peer), &bytes,
                          SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket.is_open()) {
    worker_.Adopt(port_, std::move(socket), PeerText(peer), open >= shared.max_connections);
    return Outcome::kAccepted;
  }
  const int error = errno;
  if (error == EAGAIN || error == EWOULDBLOCK) {
    watch_.MarkDrained();
    return Outcome::kNone;
  }
  if (!IsOutOfResources(error)) return Outcome::kAccepted;  // that client has gone: the next one
  if (worker_.now() - warned_ >= kWarningInterval) {
    warned_ = worker_.now();
    shared.log.Warning("net_accept_failed", {{"address", port_.address},
                                             {"error", std::system_category().message(error)}});
  }
  return Outcome::kPaused;
}

}  // namespace p402::net
