#include "lib/local_keys.h"

#include <future>
#include <utility>

#include "base/await.h"

namespace p402::lib {
namespace {

constexpr Millis kProgressInterval{200};
constexpr std::string_view kFirstAccountName = "default";

// The texts of the floors below speak to the user of the command line.
Error ForHost(Error error, const std::filesystem::path& folder) {
  if (error.code == ErrorCode::kLocked) {
    error.public_message = "another process holds " + folder.string() +
                           "; if it is a server, ask that server over HTTP instead";
  }
  return error;
}

Failure NothingThere(const std::filesystem::path& folder) {
  return Failure(Error{.code = ErrorCode::kNotFound,
                       .public_message = "there is no store in " + folder.string() +
                                         ": p402_init() or `p402 init` makes one"});
}

Result<std::unique_ptr<Log>> MakeLog(const std::string& file) {
  if (file.empty()) return std::unique_ptr<Log>(std::make_unique<NullLog>());
  return OpenLog({.file = file});
}

}  // namespace

Result<std::unique_ptr<LocalKeys>> LocalKeys::Open(Options options) {
  std::unique_ptr<LocalKeys> keys(new LocalKeys());
  P402_TRY(keys->log_, MakeLog(options.log_file));
  auto engine =
      service::Engine::Open({.folder = options.folder, .create = false, .brand = options.brand},
                            keys->clock_, keys->random_, *keys->log_);
  if (!engine) {
    if (engine.error().code == ErrorCode::kNotFound) return NothingThere(options.folder);
    return Failure(ForHost(std::move(engine).error(), options.folder));
  }
  keys->engine_ = *std::move(engine);
  P402_TRY(const auto account, keys->engine_->FindFirstAccount());
  if (!account) return NothingThere(options.folder);
  keys->first_account_ = *account;
  if (options.on_event) {
    keys->watch_ = std::make_unique<Watch>(std::move(options.on_event), keys->clock_);
    keys->engine_->feed().Subscribe(*keys->watch_);
  }
  P402_TRY(keys->Load(options.on_progress));
  return keys;
}

Status LocalKeys::Load(const std::function<void(const feed::Progress&)>& on_progress) {
  const auto loaded = std::make_shared<std::promise<Status>>();
  auto outcome = loaded->get_future();
  engine_->Load([loaded](Status status) { loaded->set_value(std::move(status)); });
  while (outcome.wait_for(kProgressInterval) != std::future_status::ready) {
    if (on_progress) on_progress(engine_->feed().progress());
  }
  P402_TRY(outcome.get());
  if (on_progress) on_progress(engine_->feed().progress());
  return {};
}

Result<service::CreatedAccount> LocalKeys::Init(const std::filesystem::path& folder,
                                                std::string brand) {
  const RealClock clock;
  SystemRandom random;
  NullLog log;
  auto engine =
      service::Engine::Open({.folder = folder, .brand = std::move(brand)}, clock, random, log);
  if (!engine) return Failure(ForHost(std::move(engine).error(), folder));
  return (*engine)->MakeFirstAccount(std::string(kFirstAccountName));
}

LocalKeys::~LocalKeys() {
  // Why marks could not be written is in the log.
  [[maybe_unused]] const Status closed = Close();
}

Status LocalKeys::CheckMayWait() const {
  if (!watch_ || !watch_->is_telling_here()) return {};
  return Failure(Error{.code = ErrorCode::kInvalidArgument,
                       .reason = "called_from_event",
                       .public_message = "this call would wait for the on_event that it is in"});
}

// The engine first: a stopped feed tells the watch of nothing new, and the watch may still say that
// it has obeyed.
Status LocalKeys::Close() {
  P402_TRY(CheckMayWait());
  if (!engine_) return {};
  Status stopped = engine_->Stop();
  watch_.reset();
  log_->Flush();
  return stopped;
}

Result<service::Caller> LocalKeys::Act(std::string_view actor) {
  P402_TRY(CheckMayWait());
  return engine_->authenticator().Authenticate(actor, std::nullopt,
                                               EncodeTypeId("req", engine_->ids().Next()));
}

Result<service::CreatedKey> LocalKeys::Create(std::string_view actor,
                                              service::CreateRequest request) {
  P402_TRY(const auto caller, Act(actor));
  using Created = Result<service::CreatedKey>;
  return Await<Created>(engine_->executor(), [&](Callback<Created> done) {
    engine_->keys().Create(caller, std::move(request), service::Wait::kEnforced, std::move(done));
  });
}

Result<service::RevokeResult> LocalKeys::Revoke(std::string_view actor, const key::KeyId& id,
                                                service::RevokeRequest request) {
  auto caller = Act(actor);
  // R2: a revoked key may still repeat the revocation of itself, and nothing else.
  if (!caller && caller.error().reason == "revoked") {
    auto revoked = engine_->authenticator().AuthenticateForSelfRevoke(
        actor, std::nullopt, EncodeTypeId("req", engine_->ids().Next()));
    if (revoked && revoked->record->id == id) caller = std::move(revoked);
  }
  if (!caller) return Failure(std::move(caller).error());
  using Revoked = Result<service::RevokeResult>;
  return Await<Revoked>(engine_->executor(), [&](Callback<Revoked> done) {
    engine_->keys().Revoke(*caller, id, std::move(request), service::Wait::kEnforced,
                           std::move(done));
  });
}

Result<service::KeyResult> LocalKeys::SetDisabled(std::string_view actor, const key::KeyId& id,
                                                  bool is_disabled) {
  P402_TRY(const auto caller, Act(actor));
  using Updated = Result<service::KeyResult>;
  return Await<Updated>(engine_->executor(), [&](Callback<Updated> done) {
    engine_->keys().Update(caller, id, {.disabled = is_disabled}, service::Wait::kEnforced,
                           std::move(done));
  });
}

}  // namespace p402::lib
