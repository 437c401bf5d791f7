#pragma once

#include <memory>
#include <string>

#include "net/loop.h"
#include "net/worker.h"

namespace p402::net {

// One listening socket of one thread.
// Threads: the worker's.
class Acceptor final : public Watcher, public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(Worker& worker, Port& port, UniqueFd socket);

  void OnReadable() override;
  void OnWritable() override {}
  // Takes what the kernel has queued, then listens no more.
  void Drain();
  void Close() { watch_.Close(); }
  // Goes on after it ran out of descriptors or of room for connections.
  void OnTick();
  void Start();

 private:
  enum class Outcome { kAccepted, kNone, kPaused };
  Outcome AcceptOne();
  void Resume();

  Worker& worker_;
  Port& port_;
  Watch watch_;
  bool is_paused_ = false;
  BootTime warned_{};
};

}  // namespace p402::net
