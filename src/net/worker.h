#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "net/buffer.h"
#include "net/chunk_decoder.h"
#include "net/head_parser.h"
#include "net/loop.h"
#include "net/server.h"
#include "net/tls.h"

namespace p402::net {

class Acceptor;
class Connection;

// What all threads of one server share.
struct Shared {
  Shared(const ServerOptions& options, const Clock& clock, Log& log, Metrics& metrics);
  void CountAnswer(int status);
  void CountRefusal(Refusal refusal);
  void ObserveRequests(BootClock::duration took, uint64_t count);
  // The end of one connection.
  void CountClosed();

  // Of ServerOptions.
  const Millis head_deadline;
  const Millis body_deadline;
  const Millis idle_deadline;
  const Millis write_deadline;
  const size_t max_body_bytes;
  const size_t max_connections;

  const Clock& clock;
  Log& log;
  std::array<Counter*, 6> answers{};   // by the first digit of the status
  std::array<Counter*, 8> refusals{};  // by Refusal
  Histogram* request_seconds;

  std::atomic<size_t> open{0};
  std::atomic<bool> is_draining{false};
  std::mutex mutex;
  std::condition_variable all_closed;
  size_t drained_workers = 0;  // guarded by mutex: they accept no more
};

// One listener, as the threads see it.
struct Port {
  std::string address;
  std::string unix_path;
  Handler* handler = nullptr;
  std::unique_ptr<TlsSlot> tls;
};

// A request and its answer under way. An idle connection has none: thousands of them cost little.
struct Exchange {
  Buffer in;
  Buffer out;
  Head head;
  HeadProgress progress;
  ChunkDecoder chunks;
  const char* head_at = nullptr;  // where the views of `head` point to
  size_t head_bytes = 0;
  size_t body_bytes = 0;     // that have arrived, decoded
  size_t request_bytes = 0;  // of `in` that the present request takes
  bool is_head_request = false;
  bool has_dropped_blank_line = false;
  BootTime began{};  // when it was complete
  UniqueFd file{};
  uint64_t file_offset = 0;
  uint64_t file_left = 0;
};

// One I/O thread: its loop, its listening sockets, its connections, and the sweep of deadlines.
class Worker final : public std::enable_shared_from_this<Worker> {
 public:
  static constexpr Millis kTick{250};

  Worker(std::shared_ptr<Shared> shared, int number);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Before Start.
  // Lifetime: `port` outlives the thread.
  void AddListener(Port& port, UniqueFd socket);
  void Start();
  // Threads: any, after Start.
  void Drain();
  // Cuts every connection and waits for the thread's end. Returns how many requests were cut.
  size_t Stop();

  // For connections, on the thread of the loop.
  Loop& loop() { return loop_; }
  Shared& shared() { return *shared_; }
  BootTime now() const { return loop_.now(); }
  // Observes how long a request took that was complete at `began`: now(), or an earlier one.
  void CountRequest(BootTime began);
  std::string_view date_line() const { return date_line_; }
  // `connection` has received something: OnReceived() is called in this turn.
  void Enlist(Connection& connection);
  // For the text of direct answers, one at a time.
  std::string& scratch() { return scratch_; }
  std::unique_ptr<Exchange> TakeExchange();
  void GiveBack(std::unique_ptr<Exchange> exchange);
  void Adopt(Port& port, UniqueFd socket, std::string peer, bool is_refused);
  void Remove(Connection& connection);

 private:
  void OnTick();
  void AnswerReceived();
  void OnTurnEnd(BootTime began, BootTime ended);
  void ReadDate();
  void CutAll();

  const std::shared_ptr<Shared> shared_;
  const int number_;
  Loop loop_;
  std::thread thread_;
  std::vector<std::shared_ptr<Acceptor>> acceptors_;
  std::vector<Connection*> connections_;
  std::vector<Connection*> received_;  // of this turn
  std::vector<std::unique_ptr<Exchange>> spare_;
  uint64_t answered_in_turn_ = 0;
  int64_t date_second_ = -1;
  std::string date_line_;
  size_t cut_ = 0;
  std::string scratch_;
};

}  // namespace p402::net
