#include "bench/load/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <utility>

namespace p402::bench {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kDrain = 5 * kSecond;
constexpr size_t kBufferBytes = 32 * 1024;  // more than any answer that is measured
constexpr int kMaxEvents = 256;
constexpr int kMaxFailures = 1000;  // of connections: then the server is gone

int64_t Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

struct Connection {
  UniqueFd socket;
  std::string request;
  std::array<char, kBufferBytes> buffer;
  size_t filled = 0;
  bool is_waiting = false;  // for an answer
  int64_t began = 0;        // what its latency is measured from
};

Result<UniqueFd> Connect(uint16_t port) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return Fail(ErrorCode::kIo, "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Fail(ErrorCode::kUnavailable, "nobody listens on port " + std::to_string(port));
  }
  return socket;
}

class Client {
 public:
  explicit Client(const Plan& plan) : plan_(plan), next_item_(plan.first_item) {}
  Result<Outcome> Run();

 private:
  Status Open(Connection& connection);
  Status Reopen(Connection& connection);
  bool has_items() const {
    return !plan_.request.has_item() || !plan_.uses_items_once || next_item_ < plan_.items.size();
  }
  Status Begin();
  Status SendDue();
  Status Send(Connection& connection, int64_t began);
  Status Receive(Connection& connection);
  Status Answered(Connection& connection, const Answer& answer);
  void Count(const Connection& connection, const Answer& answer);
  void Keep(std::string_view body);
  Result<int> Wait();
  Outcome Finish();

  const Plan& plan_;
  size_t next_item_;
  UniqueFd epoll_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> idle_;  // open loop only
  std::array<epoll_event, kMaxEvents> events_;
  std::optional<Schedule> schedule_;
  int64_t now_ = 0;
  int64_t measure_from_ = 0;
  int64_t end_ = 0;
  int64_t last_answer_ = 0;
  size_t waiting_ = 0;
  Outcome outcome_;
};

Status Client::Open(Connection& connection) {
  P402_TRY(connection.socket, Connect(plan_.port));
  connection.filled = 0;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &connection;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.socket.get(), &event) != 0) {
    return Fail(ErrorCode::kIo, "epoll_ctl");
  }
  return {};
}

// What was under way on it is lost.
Status Client::Reopen(Connection& connection) {
  if (++outcome_.broken > kMaxFailures) {
    return Fail(ErrorCode::kUnavailable, "the server closes its connections");
  }
  const bool was_waiting = std::exchange(connection.is_waiting, false);
  if (was_waiting) --waiting_;
  P402_TRY(Open(connection));
  if (schedule_) {
    if (was_waiting) idle_.push_back(&connection);
    return {};
  }
  return now_ < end_ ? Send(connection, now_) : Status();
}

Status Client::Send(Connection& connection, int64_t began) {
  if (!has_items()) return {};
  if (plan_.request.has_item()) {
    const size_t number = next_item_++ % plan_.items.size();
    plan_.request.Fill(connection.request, plan_.items[number]);
  }
  const auto& text = connection.request;
  connection.began = began;
  connection.is_waiting = true;
  ++waiting_;
  const auto sent = send(connection.socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(text.size())) return Reopen(connection);
  return {};
}

Status Client::Begin() {
  epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  for (int i = 0; i < plan_.connections; ++i) {
    auto connection = std::make_unique<Connection>();
    connection->request = plan_.request.text();
    P402_TRY(Open(*connection));
    idle_.push_back(connection.get());
    connections_.push_back(std::move(connection));
  }
  now_ = Now();
  measure_from_ = now_ + static_cast<int64_t>(plan_.warm_up_seconds * kSecond);
  end_ = measure_from_ + static_cast<int64_t>(plan_.seconds * kSecond);
  last_answer_ = now_;
  if (plan_.per_second) {
    schedule_.emplace(now_, end_, *plan_.per_second);
    return {};
  }
  for (Connection* connection : std::exchange(idle_, {})) P402_TRY(Send(*connection, now_));
  return {};
}

// Sends what is due as long as a connection is free. What finds none is sent late, and its latency
// has that time in it.
Status Client::SendDue() {
  while (!idle_.empty() && has_items()) {
    const auto intended = schedule_->Take(now_);
    if (!intended) break;
    Connection* connection = idle_.back();
    idle_.pop_back();
    if (*intended >= measure_from_) outcome_.lateness.Add(now_ - *intended);
    P402_TRY(Send(*connection, *intended));
  }
  return {};
}

void Client::Keep(std::string_view body) {
  const std::string name = '"' + plan_.kept_field + R"(":")";
  const size_t at = body.find(name);
  if (at == std::string_view::npos) return;
  const auto rest = body.substr(at + name.size());
  outcome_.kept.emplace_back(rest.substr(0, rest.find('"')));
}

void Client::Count(const Connection& connection, const Answer& answer) {
  ++outcome_.answered;
  last_answer_ = now_;
  if (answer.status != plan_.status || !answer.body.starts_with(plan_.body_start)) {
    if (outcome_.refused++ == 0) {
      outcome_.first_refusal = std::to_string(answer.status) + " " + std::string(answer.body);
    }
    return;
  }
  if (!plan_.kept_field.empty()) Keep(answer.body);
  // Open loop: every request that was due in the time; closed loop: every answer that came in it.
  const int64_t at = schedule_ ? connection.began : now_;
  if (at < measure_from_ || at >= end_) return;
  ++outcome_.measured;
  outcome_.latency.Add(now_ - connection.began);
}

Status Client::Answered(Connection& connection, const Answer& answer) {
  connection.is_waiting = false;
  --waiting_;
  Count(connection, answer);
  connection.filled = 0;
  if (schedule_) {
    idle_.push_back(&connection);
    return {};
  }
  return now_ < end_ ? Send(connection, now_) : Status();
}

Status Client::Receive(Connection& connection) {
  char* const free = connection.buffer.data() + connection.filled;
  const auto got = recv(connection.socket.get(), free, kBufferBytes - connection.filled, 0);
  if (got <= 0) return Reopen(connection);
  connection.filled += static_cast<size_t>(got);
  Answer answer;
  switch (ReadAnswer({connection.buffer.data(), connection.filled}, answer)) {
    case AnswerState::kPartial:
      return connection.filled < kBufferBytes ? Status() : Reopen(connection);
    case AnswerState::kBroken:
      return Reopen(connection);
    case AnswerState::kWhole:
      break;
  }
  if (!connection.is_waiting) return Reopen(connection);  // nobody asked
  return Answered(connection, answer);
}

// Until something was received, the next request is due, or it is over.
Result<int> Client::Wait() {
  int64_t until = now_ < end_ ? end_ : end_ + kDrain;
  if (schedule_ && !idle_.empty() && has_items()) until = schedule_->NextAt().value_or(until);
  const int64_t wait = std::max<int64_t>(0, until - now_);
  const timespec timeout{.tv_sec = wait / kSecond, .tv_nsec = wait % kSecond};
  const int count = epoll_pwait2(epoll_.get(), events_.data(), kMaxEvents, &timeout, nullptr);
  if (count < 0 && errno != EINTR) return Fail(ErrorCode::kIo, "epoll_pwait2");
  return std::max(0, count);
}

Outcome Client::Finish() {
  outcome_.unanswered = waiting_;
  outcome_.measured_seconds = plan_.seconds;
  // The items may have ended before the time.
  if (plan_.uses_items_once) {
    const auto used = static_cast<double>(std::min(last_answer_, end_) - measure_from_) / kSecond;
    outcome_.measured_seconds = std::max(used, 0.0);
  }
  return std::move(outcome_);
}

Result<Outcome> Client::Run() {
  P402_TRY(Begin());
  for (;;) {
    now_ = Now();
    if (schedule_) P402_TRY(SendDue());
    const bool has_more = now_ < end_ && has_items();
    // Of an open loop, what was due before the end is sent even after it.
    const bool has_due = schedule_ && has_items() && schedule_->NextAt();
    if (!has_more && !has_due && waiting_ == 0) break;
    if (now_ >= end_ + kDrain) break;
    P402_TRY(const int count, Wait());
    now_ = Now();
    for (int i = 0; i < count; ++i) {
      P402_TRY(Receive(*static_cast<Connection*>(events_[static_cast<size_t>(i)].data.ptr)));
    }
  }
  return Finish();
}

}  // namespace

Result<Outcome> RunLoad(const Plan& plan) {
  return Client(plan).Run();
}

}  // namespace p402::bench
