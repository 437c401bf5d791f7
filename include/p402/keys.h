// libp402 in C++20: p402/c.h with values and destructors. All of it is inline, so that the compiler
// and the standard library of the program need not be the library's. Contracts that are not
// repeated here are p402/c.h's.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "p402/c.h"

namespace p402 {
// The names below are of their own, also for the linker: those of the library may be in the same
// program.
inline namespace v0 {

// How a call went. Lifetime of the texts: this object's.
class [[nodiscard]] Outcome {
 public:
  bool ok() const { return error_.code == P402_OK; }
  int code() const { return error_.code; }  // P402_OK, P402_LOCKED, …
  std::string_view reason() const { return error_.reason; }
  std::string_view field() const { return error_.field; }
  std::string_view message() const { return error_.message; }
  // For the calls of p402/c.h.
  p402_error* out() { return &error_; }

 private:
  p402_error error_{};
};

// Lifetime: that of `text`.
inline p402_text TextOf(std::string_view text) {
  return {.data = text.data(), .size = text.size()};
}

using Event = p402_event;

struct Options {
  std::string_view folder;
  std::string_view brand = "p402";
  std::string_view log = {};
  // See p402_options.
  // Lifetime: what they refer to outlives the Keys.
  std::function<void(const Event&)> on_event = {};
  std::function<void(int64_t loaded, int64_t total)> on_progress = {};
};

struct Question {
  std::string_view presented;
  std::span<const std::string_view> scopes = {};  // at most P402_SCOPES_MAX
  std::string_view account = {};
  std::string_view ip = {};
  int mode = P402_DEFAULT_MODE;
};

// The answer of a verification. It holds what it tells: about 6 KiB, and nothing to free.
class Answer {
 public:
  // Its texts point into it.
  Answer() = default;
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  bool is_valid() const { return answer_.decision == P402_VALID; }
  explicit operator bool() const { return is_valid(); }
  int decision() const { return answer_.decision; }  // P402_VALID, P402_REVOKED, …
  std::string_view decision_name() const { return p402_decision_name(answer_.decision); }
  // Why there is no decision; P402_OK if there is one.
  int error() const { return answer_.error; }

  // Of a valid key; else empty.
  // Lifetime: until this object answers again or ends.
  std::string_view key_id() const { return answer_.key_id; }
  std::string_view account_id() const { return answer_.account_id; }
  std::string_view name() const { return ViewOf(answer_.name); }
  std::string_view owner() const { return ViewOf(answer_.owner); }
  std::string_view scopes() const { return ViewOf(answer_.scopes); }  // separated by spaces
  std::string_view metadata() const { return ViewOf(answer_.metadata); }
  int mode() const { return answer_.mode; }
  int64_t expires_at_ms() const { return answer_.expires_at_ms; }  // 0: never

 private:
  friend class Keys;
  static std::string_view ViewOf(const p402_text& text) { return {text.data, text.size}; }

  p402_answer answer_{};
  p402_texts texts_;
};

struct NewKey {
  std::string_view name;
  std::string_view owner = {};
  // nullopt: the actor's, or none if there is an owner.
  std::optional<std::span<const std::string_view>> scopes = {};
  std::span<const std::string_view> allowed_cidrs = {};
  int64_t expires_at_ms = 0;
  int mode = P402_DEFAULT_MODE;
};

// A key that was made, once. Its raw key is wiped when this ends.
class CreatedKey {
 public:
  CreatedKey() = default;
  ~CreatedKey() { p402_wipe(&created_, sizeof created_); }
  CreatedKey(const CreatedKey&) = delete;
  CreatedKey& operator=(const CreatedKey&) = delete;

  // Lifetime: this object's.
  std::string_view key_id() const { return created_.key_id; }
  std::string_view account_id() const { return created_.account_id; }
  std::string_view raw_key() const { return created_.raw_key; }
  int64_t created_at_ms() const { return created_.created_at_ms; }
  // For the calls of p402/c.h.
  p402_created* out() { return &created_; }

 private:
  p402_created created_{};
};

struct Revocation {
  std::string_view key_id;
  std::string_view reason = {};
  bool cascade = false;
};

// p402_init().
inline Outcome Init(std::string_view folder, CreatedKey& created, std::string_view brand = "p402") {
  Outcome outcome;
  p402_init(TextOf(folder), TextOf(brand), created.out(), outcome.out());
  return outcome;
}

// The keys of a data folder that this process owns.
//
// Threads: as p402/c.h says: everything but Close and the destructor may be called concurrently.
class Keys {
 public:
  // p402_open(). Null on failure: `outcome` says why.
  static std::unique_ptr<Keys> Open(const Options& options, Outcome& outcome) {
    std::unique_ptr<Keys> keys(new Keys(options));
    p402_options given{};
    given.folder = TextOf(options.folder);
    given.brand = TextOf(options.brand);
    given.log = TextOf(options.log);
    given.context = keys.get();
    if (keys->on_event_) given.on_event = OnEvent;
    if (keys->on_progress_) given.on_progress = OnProgress;
    keys->keys_ = p402_open(&given, outcome.out());
    if (keys->keys_ == nullptr) keys.reset();
    return keys;
  }
  // Ends the process if it is called from within an event: what the event goes on with would be gone.
  ~Keys() {
    static_cast<void>(Close());
    if (keys_ != nullptr) std::abort();
  }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

  // p402_close(), at most once; the destructor does the same without telling how it went.
  Outcome Close() {
    Outcome outcome;
    p402_close(keys_, outcome.out());
    if (outcome.reason() != "called_from_event") keys_ = nullptr;
    return outcome;
  }

  // p402_verify(). True if valid; `answer` has the rest.
  bool Verify(const Question& question, Answer& answer) noexcept {
    p402_text scopes[P402_SCOPES_MAX];
    p402_question asked{};
    asked.presented = TextOf(question.presented);
    asked.scopes = scopes;
    asked.scope_count = question.scopes.size();  // too many are refused, and not read
    for (size_t i = 0; i < question.scopes.size() && i < P402_SCOPES_MAX; ++i) {
      scopes[i] = TextOf(question.scopes[i]);
    }
    asked.account = TextOf(question.account);
    asked.ip = TextOf(question.ip);
    asked.mode = question.mode;
    return p402_verify(keys_, &asked, &answer.answer_, &answer.texts_);
  }

  // p402_create(). `actor` is the raw key of who does it.
  Outcome Create(std::string_view actor, const NewKey& wanted, CreatedKey& created) {
    const auto scopes = wanted.scopes ? TextsOf(*wanted.scopes) : nullptr;
    const auto cidrs = TextsOf(wanted.allowed_cidrs);
    p402_new_key given{};
    given.name = TextOf(wanted.name);
    given.owner = TextOf(wanted.owner);
    given.scopes = scopes.get();
    given.scope_count = wanted.scopes ? wanted.scopes->size() : 0;
    given.allowed_cidrs = cidrs.get();
    given.allowed_cidr_count = wanted.allowed_cidrs.size();
    given.expires_at_ms = wanted.expires_at_ms;
    given.mode = wanted.mode;
    Outcome outcome;
    p402_create(keys_, TextOf(actor), &given, created.out(), outcome.out());
    return outcome;
  }

  // p402_revoke().
  Outcome Revoke(std::string_view actor, const Revocation& revocation) {
    p402_revocation given{};
    given.key_id = TextOf(revocation.key_id);
    given.reason = TextOf(revocation.reason);
    given.cascade = revocation.cascade;
    Outcome outcome;
    p402_revoke(keys_, TextOf(actor), &given, outcome.out());
    return outcome;
  }

  // p402_set_disabled().
  Outcome SetDisabled(std::string_view actor, std::string_view key_id, bool is_disabled) {
    Outcome outcome;
    p402_set_disabled(keys_, TextOf(actor), TextOf(key_id), is_disabled, outcome.out());
    return outcome;
  }

 private:
  explicit Keys(const Options& options)
      : on_event_(options.on_event), on_progress_(options.on_progress) {}

  // Not null for no texts: an empty list is not an absent one.
  static std::unique_ptr<p402_text[]> TextsOf(std::span<const std::string_view> texts) {
    auto result = std::make_unique<p402_text[]>(texts.size() + 1);
    for (size_t i = 0; i < texts.size(); ++i) result[i] = TextOf(texts[i]);
    return result;
  }
  static void OnEvent(void* context, const p402_event* event) {
    static_cast<Keys*>(context)->on_event_(*event);
  }
  static void OnProgress(void* context, int64_t loaded, int64_t total) {
    static_cast<Keys*>(context)->on_progress_(loaded, total);
  }

  const std::function<void(const Event&)> on_event_;
  const std::function<void(int64_t, int64_t)> on_progress_;
  p402_keys* keys_ = nullptr;
};

}  // namespace v0
}  // namespace p402
