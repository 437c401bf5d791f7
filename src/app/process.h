#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"

namespace p402::app {

// Exit codes of the commands of this floor.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

// K4: no core files, no ptrace by other processes of the user. Called first of all.
void HardenProcess();

// Writes all of `text` at once, without a buffer that would keep a copy.
bool WriteOut(std::string_view text);
bool WriteErr(std::string_view text);
bool IsErrTerminal();

// "p402: message" on standard error. Returns `code`.
int Complain(std::string_view message, int code);
// The same for a failure: its public message, else its detail. kUsage for kInvalidArgument.
int Complain(const Error& error);

// SIGTERM, SIGINT and SIGHUP as values, and a way to wake the waiting thread.
//
// Threads: Start() before any other thread is made (they inherit the blocked signals), Wait() from
// one thread, Wake() from any.
class Signals {
 public:
  static Result<Signals> Start();
  // The next signal; nullopt after a Wake() or `timeout`.
  std::optional<int> Wait(Millis timeout);
  void Wake();

 private:
  Signals(UniqueFd signals, UniqueFd wake) : signals_(std::move(signals)), wake_(std::move(wake)) {}
  UniqueFd signals_;
  UniqueFd wake_;
};

// Tells systemd ("READY=1"), if it started this process with Type=notify.
void NotifySystemd(const char* socket_path, std::string_view state);

}  // namespace p402::app
