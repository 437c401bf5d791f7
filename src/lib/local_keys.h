#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "lib/watch.h"
#include "service/engine.h"

namespace p402::lib {

struct Options {
  std::filesystem::path folder = {};
  std::string brand = "p402";
  std::string log_file = {};  // empty: nothing is logged
  Watch::Tell on_event = {};
  std::function<void(const feed::Progress&)> on_progress = {};
};

// The keys of a data folder that this process owns: what p402/c.h is a shape of.
//
// Threads: Verify, Create, Revoke and SetDisabled: safe to call concurrently. All but Verify wait,
//          and are refused (kInvalidArgument, reason "called_from_event") from within on_event,
//          which they would wait for. Open: on_progress is called on its thread.
class LocalKeys {
 public:
  // Opens the folder and loads every key.
  // Errors: as service::Engine::Open; kNotFound if there is no account either.
  static Result<std::unique_ptr<LocalKeys>> Open(Options options);
  // Makes a store with a first account and key.
  // Errors: kConflict if there is one.
  static Result<service::CreatedAccount> Init(const std::filesystem::path& folder,
                                              std::string brand);
  ~LocalKeys();
  LocalKeys(const LocalKeys&) = delete;
  LocalKeys& operator=(const LocalKeys&) = delete;

  const key::AccountId& first_account() const { return first_account_; }

  Result<index::Answer> Verify(std::string_view presented, const key::Question& question) {
    return engine_->verifier().Verify(presented, question);
  }
  // `actor` is the raw key of who does it.
  Result<service::CreatedKey> Create(std::string_view actor, service::CreateRequest request);
  Result<service::RevokeResult> Revoke(std::string_view actor, const key::KeyId& id,
                                       service::RevokeRequest request);
  Result<service::KeyResult> SetDisabled(std::string_view actor, const key::KeyId& id,
                                         bool is_disabled);

  // Refused from within on_event. Otherwise everything has ended when it returns.
  // Errors: why marks of use could not be written.
  // Requires: nothing else is under way.
  Status Close();

 private:
  LocalKeys() = default;
  Status Load(const std::function<void(const feed::Progress&)>& on_progress);
  Status CheckMayWait() const;
  Result<service::Caller> Act(std::string_view actor);

  // Destroyed from the bottom up, after Close() has stopped the engine.
  RealClock clock_;
  SystemRandom random_;
  std::unique_ptr<Log> log_ = {};
  std::unique_ptr<service::Engine> engine_ = {};
  std::unique_ptr<Watch> watch_ = {};
  key::AccountId first_account_;
};

}  // namespace p402::lib
