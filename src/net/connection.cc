#include "net/connection.h"

#include <openssl/crypto.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "net/tls.h"

namespace p402::net {
namespace {

constexpr HeadLimits kHeadLimits;
constexpr size_t kReadRoom = 1024;
constexpr size_t kFlushBytes = size_t{64} * 1024;
constexpr size_t kFilePart = size_t{64} * 1024;
constexpr int kFilePartsPerTurn = 16;
constexpr size_t kLingerBytes = size_t{1024} * 1024;
constexpr size_t kLingerStep = size_t{64} * 1024;
constexpr Millis kLingerDeadline{2000};
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// Keeps an answer that must not stay in memory from doing so, wherever it is dropped.
struct Letter {
  explicit Letter(Response r) : response(std::move(r)) {}
  Letter(Letter&&) = default;
  Letter& operator=(Letter&&) = delete;
  ~Letter() {
    if (response.is_secret) OPENSSL_cleanse(response.body.data(), response.body.size());
  }
  Response response;
};

}  // namespace

Connection::Connection(std::shared_ptr<Worker> worker, Port& port, UniqueFd socket,
                       std::string peer)
    : worker_(std::move(worker)),
      port_(port),
      watch_(worker_->loop(), std::move(socket)),
      channel_(watch_.fd()),
      peer_(std::move(peer)),
      linger_left_(kLingerBytes) {}

void Connection::Start() {
  if (!watch_.is_open()) return Close();
  watch_.Attach(shared_from_this());
  if (port_.tls) {
    if (!channel_.StartTls(*port_.tls->Get())) return Close();
    state_ = State::kHandshake;
    has_head_deadline_ = true;
    SetDeadline(worker_->shared().head_deadline);
  } else {
    SetDeadline(worker_->shared().idle_deadline);
  }
  watch_.AwaitReadable();
}

void Connection::StartRefused() {
  if (port_.tls || !watch_.is_open()) return Close();  // a handshake costs too much now
  watch_.Attach(shared_from_this());
  exchange_ = worker_->TakeExchange();
  Refuse({.refusal = Refusal::kOverloaded, .detail = "too many connections"});
  Flush();
}

void Connection::SetDeadline(Millis limit) {
  deadline_ = worker_->now() + limit;
}

void Connection::OnReadable() {
  switch (state_) {
    case State::kHandshake:
      return Handshake();
    case State::kIdle:
    case State::kHead:
    case State::kBody:
      return Receive();
    case State::kHandling:
    case State::kWriting:
      return ContinueOutput();
    case State::kLingering:
      return Linger();
    case State::kClosed:
      return;
  }
}

void Connection::OnWritable() {
  if (state_ != State::kLingering) OnReadable();
}

// --- Input ---

void Connection::Handshake() {
  switch (Noted(channel_.Handshake()).kind) {
    case IoKind::kDone:
      state_ = State::kIdle;
      return Receive();
    case IoKind::kWantReadable:
      return watch_.AwaitReadable();
    case IoKind::kWantWritable:
      return watch_.AwaitWritable();
    case IoKind::kPlainHttp:
      channel_.DropTls();
      exchange_ = worker_->TakeExchange();
      Refuse({.refusal = Refusal::kBadFraming, .detail = "this address speaks TLS: use https"});
      Flush();
      return;
    case IoKind::kEnd:
    case IoKind::kFailed:
      return Close();
  }
}

IoStep Connection::Noted(IoStep step) {
  if (step.is_drained) watch_.MarkDrained();
  return step;
}

// What it receives is answered later in this turn, together with what others have sent.
void Connection::Receive() {
  if (is_enlisted_) return;
  if (!exchange_) exchange_ = worker_->TakeExchange();
  const IoStep step = Noted(channel_.Read(exchange_->in.Room(kReadRoom)));
  switch (step.kind) {
    case IoKind::kDone:
      break;
    case IoKind::kWantReadable:
      return Rest();
    case IoKind::kWantWritable:
      return watch_.AwaitWritable();
    case IoKind::kEnd:
    case IoKind::kFailed:
    case IoKind::kPlainHttp:
      return Close();
  }
  exchange_->in.Commit(step.bytes);
  is_drained_ = step.is_drained;
  is_enlisted_ = true;
  worker_->Enlist(*this);
}

void Connection::AnswerReceived() {
  if (IsReading() && exchange_) StepAll();
}

// Without an exchange it rests: what was received has been answered from elsewhere.
void Connection::SendAnswers() {
  is_enlisted_ = false;
  if (state_ == State::kClosed || !exchange_) return;
  Advance();
  if (!IsReading()) return;
  if (is_drained_ && !channel_.HasPending()) return Rest();
  worker_->loop().Post([self = shared_from_this()] {
    if (self->IsReading()) self->Receive();
  });
}

// Waits for more input. Between requests nothing is kept for that.
void Connection::Rest() {
  // With input in it, it has been left to a Pump that is posted.
  if (state_ == State::kIdle && (!exchange_ || exchange_->in.empty())) {
    if (exchange_) worker_->GiveBack(std::move(exchange_));
    if (worker_->shared().is_draining) return Close();
  }
  watch_.AwaitReadable();
}

// Goes on with what has been received already.
void Connection::Pump() {
  if (!IsReading() || !exchange_) return;
  Advance();
  if (!IsReading()) return;
  if (channel_.HasPending()) return Receive();
  Rest();
}

// Takes as many requests from the buffer as are complete, and sends their answers together.
void Connection::Advance() {
  for (;;) {
    const bool needs_more = StepAll();
    if (!Flush() || needs_more || !IsReading()) return;
  }
}

// True: it takes more bytes to go on.
bool Connection::StepAll() {
  while (IsReading() && exchange_->out.size() < kFlushBytes) {
    if (!StepInput()) return true;
  }
  return false;
}

// False: it takes more bytes to go on, or another state is reached.
bool Connection::StepInput() {
  return state_ == State::kBody ? StepBody() : StepHead();
}

bool Connection::StepHead() {
  Exchange& exchange = *exchange_;
  if (exchange.in.empty()) return false;
  if (state_ == State::kIdle) {
    state_ = State::kHead;
    exchange.progress = {};
    exchange.is_head_request = false;
    exchange.has_dropped_blank_line = false;
    if (!std::exchange(has_head_deadline_, false)) SetDeadline(worker_->shared().head_deadline);
  }
  // Some clients end a body with one line end too many (RFC 9112 section 2.2).
  if (exchange.progress.checked == 0 && !exchange.has_dropped_blank_line &&
      exchange.in.view().starts_with("\r\n")) {
    exchange.has_dropped_blank_line = true;
    exchange.in.Consume(2);
  }
  const HeadEnd end = FindHeadEnd(exchange.in.view(), kHeadLimits, exchange.progress);
  switch (end.kind) {
    case HeadEnd::Kind::kIncomplete:
      return false;
    case HeadEnd::Kind::kComplete:
      return BeginRequest(end.bytes);
    case HeadEnd::Kind::kRefused:
      break;
  }
  Refuse(end.error);
  return false;
}

bool Connection::BeginRequest(size_t head_bytes) {
  Exchange& exchange = *exchange_;
  exchange.head_bytes = head_bytes;
  exchange.body_bytes = 0;
  exchange.head_at = exchange.in.data();
  const auto error =
      ParseHead(exchange.in.view().substr(0, head_bytes), kHeadLimits, exchange.head);
  if (error) {
    Refuse(*error);
    return false;
  }
  const Head& head = exchange.head;
  exchange.is_head_request = head.method == "HEAD";
  if (!head.has_body()) return Dispatch();
  if (port_.handler->OnHead(MakeRequest()) == BodyPolicy::kIgnore) {
    is_last_ = true;  // where the next request starts is unknown
    return Dispatch();
  }
  const size_t max_bytes = worker_->shared().max_body_bytes;
  if (head.body == BodyKind::kLength && head.content_length > max_bytes) {
    Refuse({.refusal = Refusal::kBodyTooLarge, .detail = "the body is too large"});
    return false;
  }
  exchange.chunks = ChunkDecoder(max_bytes);
  state_ = State::kBody;
  SetDeadline(worker_->shared().body_deadline);
  if (head.expects_continue && exchange.in.size() == head_bytes) exchange.out.Append(kContinue);
  return true;
}

bool Connection::StepBody() {
  Exchange& exchange = *exchange_;
  if (exchange.head.body == BodyKind::kLength) {
    if (exchange.in.size() - exchange.head_bytes < exchange.head.content_length) return false;
    exchange.body_bytes = static_cast<size_t>(exchange.head.content_length);
    return Dispatch();
  }
  const size_t decoded = exchange.head_bytes + exchange.body_bytes;
  const auto step =
      exchange.chunks.Decode({exchange.in.data() + decoded, exchange.in.size() - decoded});
  exchange.in.Erase(decoded + step.produced, step.consumed - step.produced);
  exchange.body_bytes += step.produced;
  switch (step.kind) {
    case ChunkDecoder::Kind::kIncomplete:
      return false;
    case ChunkDecoder::Kind::kComplete:
      return Dispatch();
    case ChunkDecoder::Kind::kRefused:
      break;
  }
  Refuse(step.error);
  return false;
}

Request Connection::MakeRequest() const {
  const Exchange& exchange = *exchange_;
  return {.method = exchange.head.method,
          .target = exchange.head.target,
          .path = exchange.head.path,
          .query = exchange.head.query,
          .version_minor = exchange.head.version_minor,
          .headers = exchange.head.headers,
          .body = exchange.in.view().substr(exchange.head_bytes, exchange.body_bytes),
          .peer = peer_,
          .is_tls = channel_.is_tls()};
}

// True if the handler has answered at once and the connection goes on.
bool Connection::Dispatch() {
  Exchange& exchange = *exchange_;
  if (exchange.in.data() != exchange.head_at) {  // the buffer has moved while the body came
    const auto error =
        ParseHead(exchange.in.view().substr(0, exchange.head_bytes), kHeadLimits, exchange.head);
    P402_CHECK(!error);
  }
  exchange.request_bytes = exchange.head_bytes + exchange.body_bytes;
  exchange.began = worker_->now();
  state_ = State::kHandling;
  deadline_ = BootTime::max();
  is_dispatching_ = true;
  const Request request = MakeRequest();
  if (const auto answer = port_.handler->AnswerDirectly(request, worker_->scratch())) {
    Answer(*answer);
  } else {
    port_.handler->OnRequest(request, Responder(shared_from_this()));
  }
  is_dispatching_ = false;
  return IsReading();
}

// --- Output ---

void Connection::Send(Response response) {
  Letter letter(std::move(response));
  if (!worker_->loop().IsCurrent()) {
    worker_->loop().Post([self = shared_from_this(), letter = std::move(letter)]() mutable {
      self->AnswerLater(letter.response);
    });
  } else if (is_dispatching_) {
    Answer(letter.response);
  } else {
    AnswerLater(letter.response);
  }
}

void Connection::AnswerLater(Response& response) {
  if (state_ != State::kHandling) {  // the client has gone
    if (exchange_) worker_->GiveBack(std::move(exchange_));
    return;
  }
  Answer(response);
  if (!Flush() || !IsReading()) return;
  if (exchange_->in.empty() && !channel_.HasPending()) return Rest();
  // Not from here: whoever calls Send may hold a lock that the handler takes.
  worker_->loop().Post([self = shared_from_this()] { self->Pump(); });
}

void Connection::Answer(Response& response) {
  Exchange& exchange = *exchange_;
  const bool keep_alive = KeepsAlive() && !response.close;
  AppendAnswer(response, FrameOf(keep_alive), exchange.out);
  if (response.file.is_open() && HasBody(response.status, exchange.is_head_request)) {
    exchange.file = std::move(response.file);
    exchange.file_offset = 0;
    exchange.file_left = response.file_bytes;
  }
  EndRequest(response.status, keep_alive);
}

void Connection::Answer(const DirectAnswer& answer) {
  const bool keep_alive = KeepsAlive();
  AppendAnswer(answer, FrameOf(keep_alive), exchange_->out);
  EndRequest(answer.status, keep_alive);
}

bool Connection::KeepsAlive() const {
  return exchange_->head.keep_alive && !is_last_ && !worker_->shared().is_draining;
}

AnswerFrame Connection::FrameOf(bool keep_alive) const {
  return {.date_line = worker_->date_line(),
          .is_head = exchange_->is_head_request,
          .close = !keep_alive,
          .keep_alive = keep_alive && exchange_->head.version_minor == 0};
}

// The answer is in the output: what belongs to its request ends, and its bytes are wiped.
void Connection::EndRequest(int status, bool keep_alive) {
  Exchange& exchange = *exchange_;
  Shared& shared = worker_->shared();
  shared.CountAnswer(status);
  worker_->CountRequest(exchange.began);
  exchange.in.Consume(exchange.request_bytes);

  // is_last_ was set before only for a body that is ignored.
  may_send_more_ = is_last_ || exchange.head.keep_alive || !exchange.in.empty();
  is_last_ = !keep_alive;
  resume_ = State::kIdle;
  state_ = is_last_ || exchange.file_left != 0 ? State::kWriting : State::kIdle;
  SetDeadline(shared.idle_deadline);
}

void Connection::Refuse(HeadError error) {
  Exchange& exchange = *exchange_;
  Letter letter(port_.handler->OnRefused(error.refusal, error.detail));
  AppendAnswer(
      letter.response,
      {.date_line = worker_->date_line(), .is_head = exchange.is_head_request, .close = true},
      exchange.out);
  worker_->shared().CountAnswer(letter.response.status);
  worker_->shared().CountRefusal(error.refusal);
  exchange.in.Consume(exchange.in.size());
  is_last_ = may_send_more_ = true;
  state_ = State::kWriting;
  SetDeadline(worker_->shared().write_deadline);
}

// Writes what there is. True: everything is written and the connection goes on.
bool Connection::Flush() {
  if (!exchange_) return true;
  Exchange& exchange = *exchange_;
  for (int parts = 0;; ++parts) {
    while (!exchange.out.empty()) {
      const IoStep step = Noted(channel_.Write(exchange.out.view()));
      if (step.kind == IoKind::kDone) {
        exchange.out.Consume(step.bytes);
        continue;
      }
      if (step.kind == IoKind::kWantWritable || step.kind == IoKind::kWantReadable) {
        Block();
        step.kind == IoKind::kWantWritable ? watch_.AwaitWritable() : watch_.AwaitReadable();
      } else {
        Close();
      }
      return false;
    }
    is_blocked_ = false;
    watch_.ForgetWritable();  // it may have been an answer from elsewhere that found the room
    if (exchange.file_left == 0) return Written();
    if (parts == kFilePartsPerTurn) {
      worker_->loop().Post([self = shared_from_this()] { self->ContinueOutput(); });
      return false;
    }
    if (!LoadFilePart()) {
      Close();  // the length was promised: only a broken connection tells the truth
      return false;
    }
  }
}

bool Connection::Written() {
  if (state_ == State::kHandling) deadline_ = BootTime::max();
  if (state_ != State::kWriting) return true;
  exchange_->file = UniqueFd();
  if (is_last_) {
    Finish();
    return false;
  }
  state_ = resume_;
  const Shared& shared = worker_->shared();
  SetDeadline(state_ == State::kIdle   ? shared.idle_deadline
              : state_ == State::kHead ? shared.head_deadline
                                       : shared.body_deadline);
  return true;
}

void Connection::Block() {
  if (IsReading()) {
    resume_ = state_;
    state_ = State::kWriting;
  }
  if (std::exchange(is_blocked_, true)) return;
  SetDeadline(worker_->shared().write_deadline);
}

bool Connection::LoadFilePart() {
  Exchange& exchange = *exchange_;
  const auto part = static_cast<size_t>(std::min<uint64_t>(kFilePart, exchange.file_left));
  const auto room = exchange.out.Room(part);
  ssize_t count;
  do {
    count = pread(exchange.file.get(), room.data(), part, static_cast<off_t>(exchange.file_offset));
  } while (count < 0 && errno == EINTR);
  if (count <= 0) {
    worker_->shared().log.Error("net_file_short", {{"missing_bytes", exchange.file_left}});
    return false;
  }
  exchange.out.Commit(static_cast<size_t>(count));
  exchange.file_offset += static_cast<uint64_t>(count);
  exchange.file_left -= static_cast<uint64_t>(count);
  return true;
}

void Connection::ContinueOutput() {
  if (state_ != State::kHandling && state_ != State::kWriting) return;
  if (Flush() && IsReading()) Pump();
}

// --- End ---

void Connection::Finish() {
  worker_->GiveBack(std::move(exchange_));
  channel_.EndOutput();
  if (!may_send_more_) return Close();
  state_ = State::kLingering;
  SetDeadline(kLingerDeadline);
  Linger();
}

// Reads on until the client has seen the answer and closes: closing with unread input would reset
// the connection, and a reset may overtake the answer.
void Connection::Linger() {
  const IoStep step = Noted(channel_.Discard(std::min(kLingerStep, linger_left_)));
  linger_left_ -= step.bytes;
  const bool goes_on = step.kind == IoKind::kWantReadable || step.kind == IoKind::kDone;
  if (!goes_on || linger_left_ == 0) return Close();
  watch_.AwaitReadable();
}

void Connection::Drain() {
  if (state_ == State::kHandshake) return Close();
  if (state_ != State::kIdle) return;
  const auto self = shared_from_this();
  Receive();  // a request that has arrived is answered; else Rest closes
}

bool Connection::Cut() {
  const bool is_under_way = state_ == State::kHead || state_ == State::kBody ||
                            state_ == State::kHandling || state_ == State::kWriting;
  Close();
  return is_under_way;
}

void Connection::Close() {
  if (state_ == State::kClosed) return;
  const auto self = shared_from_this();
  if (state_ == State::kIdle && channel_.is_tls()) channel_.EndOutput();
  const bool has_views = state_ == State::kHandling;
  state_ = State::kClosed;
  channel_.DropTls();
  watch_.Close();
  if (exchange_ && !has_views) worker_->GiveBack(std::move(exchange_));
  worker_->Remove(*this);
}

}  // namespace p402::net
