#include "app/process.h"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>

namespace p402::app {

void HardenProcess() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

bool WriteOut(std::string_view text) {
  return WriteAll(STDOUT_FILENO, text);
}
bool WriteErr(std::string_view text) {
  return WriteAll(STDERR_FILENO, text);
}
bool IsErrTerminal() {
  return ::isatty(STDERR_FILENO) == 1;
}

int Complain(std::string_view message, int code) {
  WriteErr(fmt::format("p402: {}\n", message));
  return code;
}

int Complain(const Error& error) {
  const std::string& message = error.public_message.empty() ? error.detail : error.public_message;
  return Complain(message, error.code == ErrorCode::kInvalidArgument ? kUsage : kFailed);
}

Result<Signals> Signals::Start() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  if (::pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) {
    return Fail(ErrorCode::kIo, "cannot block signals");
  }
  UniqueFd signals(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!signals.is_open() || !wake.is_open()) {
    return Fail(ErrorCode::kIo, fmt::format("cannot watch signals: {}", std::strerror(errno)));
  }
  return Signals(std::move(signals), std::move(wake));
}

std::optional<int> Signals::Wait(Millis timeout) {
  std::array<pollfd, 2> fds = {{{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                                {.fd = wake_.get(), .events = POLLIN, .revents = 0}}};
  if (::poll(fds.data(), fds.size(), static_cast<int>(timeout.count())) <= 0) return std::nullopt;
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    return static_cast<int>(info.ssi_signo);
  }
  uint64_t count = 0;
  if (::read(wake_.get(), &count, sizeof count) < 0) return std::nullopt;
  return std::nullopt;
}

void Signals::Wake() {
  const uint64_t one = 1;
  if (::write(wake_.get(), &one, sizeof one) < 0) return;  // full: it is awake anyway
}

void NotifySystemd(const char* socket_path, std::string_view state) {
  if (socket_path == nullptr) return;
  const std::string_view path(socket_path);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() < 2 || path.size() >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract socket
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address), length);
}

}  // namespace p402::app
