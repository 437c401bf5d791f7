#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "service/accounts.h"
#include "service/audit.h"
#include "service/authenticator.h"
#include "service/keys.h"
#include "service/verifier.h"

namespace p402::service {

struct EngineOptions {
  std::filesystem::path folder = {};
  bool create = true;  // false: kNotFound if there is no database
  std::string brand = "p402";
  bool marks_use = true;  // false: last_used_at stays as it is
};

// Everything of a process that owns a data folder, but the way in: the store, the index, the feed
// and the use cases on their threads, constructed and stopped in the right order. A server puts
// HTTP before it, the library a function call.
//
// Threads:  Open, FindFirstAccount, MakeFirstAccount, Load and Stop: one thread, none of its own;
//           all but Load wait. What the accessors return says for itself.
// Lifetime: clock, random and log outlive it. The accessors are for the time before Stop().
class Engine {
 public:
  // Opens the store.
  // Errors: kLocked, kCorrupt, kConflict, kIo, kNotFound from the store; kInvalidArgument (brand).
  static Result<std::unique_ptr<Engine>> Open(EngineOptions options, const Clock& clock,
                                              Random& random, Log& log);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // nullopt: the store is empty.
  Result<std::optional<key::AccountId>> FindFirstAccount();
  // Errors: kConflict if there is one.
  Result<CreatedAccount> MakeFirstAccount(std::string name);

  // Loads the index and begins to write marks of use and anchors; `done` runs on executor(), at
  // most once.
  void Load(std::move_only_function<void(Status)> done);
  // Writes the waiting marks (L1), stops the feed, and closes the store when it has finished what
  // it accepted. A second call does nothing.
  // Requires: nothing calls any more, and the executors of completions under way still live.
  // Errors: why marks could not be written; all else is done all the same.
  Status Stop();

  // A thread of its own, for completions that a caller from outside waits for.
  Executor& executor();
  Metrics& metrics();
  Uuid7Generator& ids();
  store::Store& store();
  feed::Feed& feed();
  Authenticator& authenticator();
  Verifier& verifier();
  Keys& keys();
  Accounts& accounts();
  Audit& audit();

 private:
  struct Parts;
  explicit Engine(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace p402::service
