#include <openssl/crypto.h>

#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include "lib/c_values.h"
#include "lib/local_keys.h"
#include "p402/c.h"

// What p402/c.h declares. No exception leaves these functions.

struct p402_keys {
  std::unique_ptr<p402::lib::LocalKeys> local;
};

namespace p402::lib {
namespace {

// What `call` returns; a failure instead of an exception.
template <class Call>
Status Contained(Call call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kResourceExhausted, "out of memory");
  } catch (const std::system_error& error) {  // a thread that cannot be started
    return Fail(ErrorCode::kResourceExhausted, error.what());
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kInternal, error.what());
  } catch (...) {
    return Fail(ErrorCode::kInternal, "an unknown exception");
  }
}

Status RequireGiven(const void* argument) {
  if (argument != nullptr) return {};
  return InvalidArgument({}, "an argument that is required is NULL");
}

Watch::Tell TellOf(const p402_options& options) {
  if (options.on_event == nullptr) return {};
  return [tell = options.on_event, context = options.context](const Event& event) {
    p402_event told{};
    told.kind = event.is_revoked ? P402_EVENT_REVOKED : P402_EVENT_RESTRICTED;
    told.sequence = event.seq;
    CopyText(event.key.ToString(), told.key_id);
    CopyText(event.account.ToString(), told.account_id);
    tell(context, &told);
  };
}

std::string BrandOf(const p402_text& brand) {
  return std::string(brand.data == nullptr ? "p402" : ViewOf(brand));
}

Result<std::unique_ptr<LocalKeys>> Open(const p402_options& given) {
  P402_TRY(CheckReserved(given.reserved));
  if (ViewOf(given.folder).empty()) return InvalidArgument("folder", "folder is required");
  Options options{.folder = ViewOf(given.folder),
                  .brand = BrandOf(given.brand),
                  .log_file = std::string(ViewOf(given.log)),
                  .on_event = TellOf(given)};
  if (given.on_progress != nullptr) {
    options.on_progress = [&given](const feed::Progress& progress) {
      given.on_progress(given.context, progress.loaded, progress.total);
    };
  }
  return LocalKeys::Open(std::move(options));
}

// Null for `answer`: only the decision is wanted.
Result<int> Verify(LocalKeys& keys, const p402_question& question, p402_answer* answer,
                   p402_texts* texts) {
  thread_local QuestionReader reader;
  P402_TRY(const auto read, reader.Read(question, keys.first_account()));
  P402_TRY(const auto verified, keys.Verify(ViewOf(question.presented), read));
  if (answer != nullptr) P402_TRY(WriteAnswer(verified, *answer, texts));
  return CodeOf(verified.decision);
}

}  // namespace
}  // namespace p402::lib

namespace lib = p402::lib;

static_assert(std::string_view(P402_VERSION_STRING) == P402_PROJECT_VERSION);
static_assert(P402_ABI_VERSION == P402_SO_VERSION);

int p402_abi_version(void) {
  return P402_ABI_VERSION;
}

const char* p402_version(void) {
  return P402_VERSION_STRING;
}

const char* p402_decision_name(int decision) {
  // In the order of their numbers.
  static constexpr const char* kNames[] = {
      "undecided", "valid",   "malformed",          "not_found",  "revoked",
      "disabled",  "expired", "insufficient_scope", "wrong_mode", "ip_not_allowed"};
  const bool is_known = decision >= 0 && decision < static_cast<int>(std::size(kNames));
  return kNames[is_known ? decision : P402_UNDECIDED];
}

p402_keys* p402_open(const p402_options* options, p402_error* error) {
  std::unique_ptr<p402_keys> keys;
  const auto status = lib::Contained([&]() -> p402::Status {
    P402_TRY(lib::RequireGiven(options));
    P402_TRY(auto local, lib::Open(*options));
    keys = std::make_unique<p402_keys>(std::move(local));
    return {};
  });
  lib::Report(status, error);
  return keys.release();
}

int p402_close(p402_keys* keys, p402_error* error) {
  bool is_refused = false;
  const auto status = lib::Contained([&]() -> p402::Status {
    if (keys == nullptr) return {};
    auto closed = keys->local->Close();
    is_refused = !closed && closed.error().reason == "called_from_event";
    return closed;
  });
  if (!is_refused) delete keys;
  return lib::Report(status, error);
}

bool p402_verify(p402_keys* keys, const p402_question* question, p402_answer* answer,
                 p402_texts* texts) {
  int decision = P402_UNDECIDED;
  if (answer != nullptr) *answer = {};
  const auto status = lib::Contained([&]() -> p402::Status {
    if (keys == nullptr || question == nullptr) return lib::RequireGiven(nullptr);
    P402_TRY(decision, lib::Verify(*keys->local, *question, answer, texts));
    return {};
  });
  if (status) return decision == P402_VALID;
  const int error = lib::Report(status, nullptr);
  if (answer != nullptr) {
    *answer = {};
    answer->error = error;
  }
  return false;
}

int p402_init(p402_text folder, p402_text brand, p402_created* created, p402_error* error) {
  const auto status = lib::Contained([&]() -> p402::Status {
    P402_TRY(lib::RequireGiven(created));
    *created = {};
    if (lib::ViewOf(folder).empty()) return p402::InvalidArgument("folder", "folder is required");
    P402_TRY(const auto account, lib::LocalKeys::Init(lib::ViewOf(folder), lib::BrandOf(brand)));
    lib::WriteCreated(account.key, *created);
    return {};
  });
  return lib::Report(status, error);
}

int p402_create(p402_keys* keys, p402_text actor, const p402_new_key* wanted, p402_created* created,
                p402_error* error) {
  const auto status = lib::Contained([&]() -> p402::Status {
    P402_TRY(lib::RequireGiven(keys));
    P402_TRY(lib::RequireGiven(wanted));
    P402_TRY(lib::RequireGiven(created));
    *created = {};
    P402_TRY(auto request, lib::ReadNewKey(*wanted));
    P402_TRY(const auto made, keys->local->Create(lib::ViewOf(actor), std::move(request)));
    lib::WriteCreated(made, *created);
    return {};
  });
  return lib::Report(status, error);
}

int p402_revoke(p402_keys* keys, p402_text actor, const p402_revocation* revocation,
                p402_error* error) {
  const auto status = lib::Contained([&]() -> p402::Status {
    P402_TRY(lib::RequireGiven(keys));
    P402_TRY(lib::RequireGiven(revocation));
    P402_TRY(lib::CheckReserved(revocation->reserved));
    P402_TRY(const auto id, lib::ReadKeyId(revocation->key_id));
    p402::service::RevokeRequest request{.reason = std::string(lib::ViewOf(revocation->reason)),
                                         .cascade = revocation->cascade};
    P402_TRY(keys->local->Revoke(lib::ViewOf(actor), id, std::move(request)));
    return {};
  });
  return lib::Report(status, error);
}

int p402_set_disabled(p402_keys* keys, p402_text actor, p402_text key_id, bool is_disabled,
                      p402_error* error) {
  const auto status = lib::Contained([&]() -> p402::Status {
    P402_TRY(lib::RequireGiven(keys));
    P402_TRY(const auto id, lib::ReadKeyId(key_id));
    P402_TRY(keys->local->SetDisabled(lib::ViewOf(actor), id, is_disabled));
    return {};
  });
  return lib::Report(status, error);
}

void p402_wipe(void* memory, size_t size) {
  OPENSSL_cleanse(memory, size);
}
