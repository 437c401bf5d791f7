#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "net/answer_writer.h"
#include "net/channel.h"
#include "net/loop.h"
#include "net/message.h"
#include "net/server.h"
#include "net/worker.h"

namespace p402::net {

// One connection. Everything but Send runs on its worker's thread.
//
//   kHandshake ──> kIdle ──> kHead ──> kBody ──> kHandling ──┐
//                    ^         │ (no body) ────────^         │ answer
//                    │         └──> kWriting <───────────────┤ not written at once, a file, or the
//                    │  written        │ last one            │ last one
//                    └─────────────────┴──> kLingering ──> kClosed
//
// While the handler has the request (kHandling) nothing is read, so that its views stay valid; a
// connection that is closed meanwhile keeps them until the answer comes.
class Connection final : public Responder::Target,
                         public Watcher,
                         public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Worker> worker, Port& port, UniqueFd socket, std::string peer);

  void Start();
  // Says 503 and ends.
  void StartRefused();
  // Ends an idle connection; lets a request that has begun finish.
  void Drain();
  // Ends it at once. True if a request was under way.
  bool Cut();

  BootTime deadline() const { return deadline_; }
  size_t slot() const { return slot_; }
  void set_slot(size_t slot) { slot_ = slot; }

  // The two steps after Worker::Enlist: answers the requests that are complete; sends the answers
  // and goes on.
  void AnswerReceived();
  void SendAnswers();

  void Send(Response response) override;
  Executor& executor() override { return worker_->loop(); }
  void OnReadable() override;
  void OnWritable() override;

 private:
  enum class State : uint8_t {
    kHandshake,
    kIdle,
    kHead,
    kBody,
    kHandling,
    kWriting,
    kLingering,
    kClosed,
  };
  bool IsReading() const {
    return state_ == State::kIdle || state_ == State::kHead || state_ == State::kBody;
  }

  // Input.
  void Handshake();
  IoStep Noted(IoStep step);
  void Receive();
  void Rest();
  void Pump();
  void Advance();
  bool StepAll();
  bool StepInput();
  bool StepHead();
  bool BeginRequest(size_t head_bytes);
  bool StepBody();
  bool Dispatch();
  Request MakeRequest() const;

  // Output.
  void Answer(Response& response);
  void Answer(const DirectAnswer& answer);
  bool KeepsAlive() const;
  AnswerFrame FrameOf(bool keep_alive) const;
  void EndRequest(int status, bool keep_alive);
  void AnswerLater(Response& response);
  void Refuse(HeadError error);
  bool Flush();
  bool Written();
  void Block();
  bool LoadFilePart();
  void ContinueOutput();

  // End.
  void Finish();
  void Linger();
  void Close();
  void SetDeadline(Millis limit);

  const std::shared_ptr<Worker> worker_;
  Port& port_;
  Watch watch_;
  Channel channel_;
  const std::string peer_;
  std::unique_ptr<Exchange> exchange_;
  BootTime deadline_ = BootTime::max();
  size_t slot_ = 0;
  size_t linger_left_;
  State state_ = State::kIdle;
  State resume_ = State::kIdle;     // what follows kWriting
  bool is_dispatching_ = false;     // the handler is on the stack
  bool is_enlisted_ = false;        // what was received is not answered yet
  bool is_drained_ = false;         // there was no more to receive
  bool is_blocked_ = false;         // the client takes the output slowly; write_deadline runs
  bool is_last_ = false;            // close after what is being written
  bool may_send_more_ = false;      // linger at the end, or a reset could destroy the answer
  bool has_head_deadline_ = false;  // it has run since the TLS handshake began
};

}  // namespace p402::net
