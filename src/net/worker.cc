#include "net/worker.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <utility>

#include "net/acceptor.h"
#include "net/answer_writer.h"
#include "net/connection.h"

namespace p402::net {
namespace {

constexpr size_t kSpareExchanges = 64;
constexpr size_t kReceivedAtOnce = 16;           // the memory of more would not fit either
constexpr size_t kSpareBufferBytes = 16 * 1024;  // larger ones go back to the allocator

// Signals belong to the main thread; and a write to a closed socket must fail, not kill.
void BlockSignals() {
  sigset_t signals;
  sigfillset(&signals);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) {
    sigdelset(&signals, fault);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

// Of two threads of this process that want one processor, the one that answers is asked first. Since
// Linux 6.12 a thread that wakes up takes it from one with a longer slice; a commit has some hundred
// microseconds of work, and the requests would wait for it. Older ones ignore the length, and may.
void AskForShortSlices() {
  struct {
    uint32_t size = 48;
    uint32_t policy = SCHED_OTHER;
    uint64_t flags = 0x08;  // SCHED_FLAG_KEEP_POLICY
    int32_t nice = getpriority(PRIO_PROCESS, 0);
    uint32_t priority = 0;
    uint64_t runtime_ns = 100'000;  // the shortest that the kernel takes
    uint64_t deadline = 0;
    uint64_t period = 0;
  } attributes;  // struct sched_attr of <linux/sched/types.h>, which glibc 2.36 clashes with
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace

Shared::Shared(const ServerOptions& options, const Clock& the_clock, Log& the_log, Metrics& metrics)
    : head_deadline(options.head_deadline),
      body_deadline(options.body_deadline),
      idle_deadline(options.idle_deadline),
      write_deadline(options.write_deadline),
      max_body_bytes(options.max_body_bytes),
      max_connections(options.max_connections),
      clock(the_clock),
      log(the_log) {
  for (size_t i = 2; i < answers.size(); ++i) {
    answers[i] = &metrics.counter("p402_http_requests_total", "HTTP requests by status class.",
                                  {{"class", fmt::format("{}xx", i)}});
  }
  static constexpr std::array kNames = {
      "bad_framing",         "head_too_large",          "target_too_long",      "body_too_large",
      "unsupported_version", "unsupported_expectation", "unsupported_encoding", "overloaded"};
  for (size_t i = 0; i < refusals.size(); ++i) {
    refusals[i] = &metrics.counter("p402_http_refused_total",
                                   "HTTP requests refused before they reached a handler.",
                                   {{"refusal", kNames[i]}});
  }
  request_seconds = &metrics.histogram("p402_http_request_seconds",
                                       "Time from a complete HTTP request to its answer.");
}

void Shared::CountAnswer(int status) {
  const auto digit = static_cast<size_t>(status / 100);
  if (digit >= 2 && digit < answers.size()) answers[digit]->Add();
}

void Shared::CountRefusal(Refusal refusal) {
  refusals[static_cast<size_t>(refusal)]->Add();
}

void Shared::ObserveRequests(BootClock::duration took, uint64_t count) {
  request_seconds->Observe(std::chrono::duration<double>(took).count(), count);
}

void Shared::CountClosed() {
  if (open.fetch_sub(1) != 1 || !is_draining) return;
  const std::lock_guard lock(mutex);
  all_closed.notify_all();
}

Worker::Worker(std::shared_ptr<Shared> shared, int number)
    : shared_(std::move(shared)), number_(number), loop_(shared_->clock) {
  ReadDate();
}

Worker::~Worker() = default;

void Worker::AddListener(Port& port, UniqueFd socket) {
  acceptors_.push_back(std::make_shared<Acceptor>(*this, port, std::move(socket)));
}

void Worker::Start() {
  thread_ = std::thread([this] {
    BlockSignals();
    pthread_setname_np(pthread_self(), fmt::format("p402-io-{}", number_).substr(0, 15).c_str());
    AskForShortSlices();
    loop_.Run(kTick,
              {.on_tick = [this] { OnTick(); },
               .on_reported = [this] { AnswerReceived(); },
               .on_turn_end = [this](BootTime began, BootTime ended) { OnTurnEnd(began, ended); }});
  });
  loop_.Post([this] {
    for (const auto& acceptor : acceptors_) acceptor->Start();
  });
}

void Worker::Drain() {
  loop_.Post([this] {
    for (const auto& acceptor : acceptors_) acceptor->Drain();
    // Backwards: a connection that closes itself is replaced by the last one.
    for (size_t i = connections_.size(); i-- > 0;) {
      if (i < connections_.size()) connections_[i]->Drain();
    }
    const std::lock_guard lock(shared_->mutex);
    ++shared_->drained_workers;
    shared_->all_closed.notify_all();
  });
}

size_t Worker::Stop() {
  if (!thread_.joinable()) return 0;
  loop_.Post([this] {
    CutAll();
    loop_.Stop();
  });
  thread_.join();
  return cut_;
}

void Worker::CutAll() {
  for (const auto& acceptor : acceptors_) acceptor->Close();
  acceptors_.clear();
  while (!connections_.empty()) cut_ += connections_.back()->Cut() ? 1 : 0;
}

void Worker::ReadDate() {
  const WallTime wall = shared_->clock.Now();
  const int64_t second = std::chrono::floor<std::chrono::seconds>(wall).time_since_epoch().count();
  if (second == date_second_) return;
  date_second_ = second;
  date_line_ = FormatDateLine(wall);
}

void Worker::Enlist(Connection& connection) {
  received_.push_back(&connection);
  if (received_.size() == kReceivedAtOnce) AnswerReceived();
}

// Several connections at a time, step by step: the kernel's code and ours together do not fit the
// processor's nearest caches, and each step finds its own there after the first connection.
void Worker::AnswerReceived() {
  for (Connection* const connection : received_) connection->AnswerReceived();
  for (Connection* const connection : received_) connection->SendAnswers();
  received_.clear();
}

void Worker::OnTick() {
  ReadDate();
  for (size_t i = connections_.size(); i-- > 0;) {
    if (i < connections_.size() && connections_[i]->deadline() <= now()) connections_[i]->Cut();
  }
  for (const auto& acceptor : acceptors_) acceptor->OnTick();
}

// A look at the clock for each request would cost more than parsing it: those that are answered in
// the turn in which they came share the look at its beginning and the one at its end.
void Worker::CountRequest(BootTime began) {
  if (began == now()) {
    ++answered_in_turn_;
    return;
  }
  shared_->ObserveRequests(shared_->clock.Boot() - began, 1);
}

void Worker::OnTurnEnd(BootTime began, BootTime ended) {
  if (answered_in_turn_ == 0) return;
  shared_->ObserveRequests(ended - began, std::exchange(answered_in_turn_, 0));
}

std::unique_ptr<Exchange> Worker::TakeExchange() {
  if (spare_.empty()) return std::make_unique<Exchange>();
  auto exchange = std::move(spare_.back());
  spare_.pop_back();
  return exchange;
}

void Worker::GiveBack(std::unique_ptr<Exchange> exchange) {
  exchange->in.Consume(exchange->in.size());
  exchange->out.Consume(exchange->out.size());
  exchange->file = UniqueFd();
  exchange->file_left = 0;
  exchange->is_head_request = false;
  if (spare_.size() >= kSpareExchanges || exchange->in.capacity() > kSpareBufferBytes ||
      exchange->out.capacity() > kSpareBufferBytes) {
    return;
  }
  spare_.push_back(std::move(exchange));
}

void Worker::Adopt(Port& port, UniqueFd socket, std::string peer, bool is_refused) {
  shared_->open.fetch_add(1, std::memory_order_relaxed);
  const auto connection =
      std::make_shared<Connection>(shared_from_this(), port, std::move(socket), std::move(peer));
  connection->set_slot(connections_.size());
  connections_.push_back(connection.get());
  if (is_refused) {
    connection->StartRefused();
  } else {
    connection->Start();
  }
}

void Worker::Remove(Connection& connection) {
  const size_t slot = connection.slot();
  connections_.back()->set_slot(slot);
  std::swap(connections_[slot], connections_.back());
  connections_.pop_back();
  shared_->CountClosed();
}

}  // namespace p402::net
