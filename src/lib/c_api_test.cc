#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/await.h"
#include "base/file.h"
#include "base/limits.h"
#include "key/digest.h"
#include "p402/c.h"
#include "service/engine.h"
#include "store/testing/temp_folder.h"

namespace p402::lib {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

p402_text TextOf(std::string_view text) {
  return {.data = text.data(), .size = text.size()};
}
std::string_view ViewOf(const p402_text& text) {
  return {text.data, text.size};
}

p402_question ForMode(int mode) {
  p402_question question{};
  question.mode = mode;
  return question;
}
p402_question From(std::string_view ip) {
  p402_question question{};
  question.ip = TextOf(ip);
  return question;
}
p402_question In(std::string_view account) {
  p402_question question{};
  question.account = TextOf(account);
  return question;
}
p402_question With(const p402_text* scopes, size_t count, int mode = P402_DEFAULT_MODE) {
  p402_question question{};
  question.scopes = scopes;
  question.scope_count = count;
  question.mode = mode;
  return question;
}

// A data folder with its first key, opened by the library.
class LibraryTest : public ::testing::Test {
 protected:
  LibraryTest() {
    p402_created created;
    EXPECT_EQ(p402_init(TextOf(folder()), {}, &created, &error_), P402_OK) << error_.message;
    root_ = created.raw_key;
    root_id_ = created.key_id;
    account_ = created.account_id;
  }
  ~LibraryTest() override { EXPECT_EQ(Close(), P402_OK) << error_.message; }

  const std::string& folder() const { return temp_.path().native(); }

  p402_options Options() {
    p402_options options{};
    options.folder = TextOf(folder());
    options.context = this;
    options.on_event = [](void* context, const p402_event* event) {
      auto* test = static_cast<LibraryTest*>(context);
      test->events_.emplace_back(event->kind, event->key_id);
      if (test->on_event_) test->on_event_(*event);
    };
    return options;
  }
  void Open() {
    const auto options = Options();
    keys_ = p402_open(&options, &error_);
    ASSERT_NE(keys_, nullptr) << error_.message;
  }
  int Close() { return p402_close(std::exchange(keys_, nullptr), &error_); }

  // A key made by the first one; "" if that failed, which error_ tells.
  p402_created Create(const p402_new_key& wanted) {
    p402_created created{};
    p402_create(keys_, TextOf(root_), &wanted, &created, &error_);
    return created;
  }
  p402_created Create(std::string_view name) {
    p402_new_key wanted{};
    wanted.name = TextOf(name);
    return Create(wanted);
  }
  int Revoke(std::string_view actor, std::string_view id) {
    p402_revocation revocation{};
    revocation.key_id = TextOf(id);
    return p402_revoke(keys_, TextOf(actor), &revocation, &error_);
  }
  int SetDisabled(std::string_view id, bool is_disabled) {
    return p402_set_disabled(keys_, TextOf(root_), TextOf(id), is_disabled, &error_);
  }

  int Ask(p402_question question, std::string_view presented) {
    question.presented = TextOf(presented);
    const bool is_valid = p402_verify(keys_, &question, &answer_, &texts_);
    EXPECT_EQ(is_valid, answer_.decision == P402_VALID);
    return answer_.decision;
  }
  int Ask(std::string_view presented) { return Ask({}, presented); }

  // Runs `work` on an engine of its own, as another program that owns the folder would.
  void WithEngine(const std::function<void(service::Engine&)>& work) {
    const RealClock clock;
    SystemRandom random;
    NullLog log;
    auto engine = service::Engine::Open({.folder = temp_.path()}, clock, random, log);
    ASSERT_TRUE(engine) << engine.error().detail;
    work(**engine);
  }
  // Puts a key of the account into the store; returns its raw text.
  std::string Plant(key::Record record, std::string_view account) {
    SystemRandom random;
    const Secret raw_key = key::GenerateRawKey(random, "p402", record.mode);
    record.account = *key::AccountId::Parse(account);
    record.digest = key::DigestOf(raw_key.Reveal());
    WithEngine([&](service::Engine& engine) {
      record.id = key::KeyId::New(engine.ids());
      using Done = Result<store::Committed>;
      const auto committed = Await<Done>(engine.executor(), [&](Callback<Done> done) {
        auto plan = [&](store::Transaction&) -> Result<store::Writes> {
          store::Writes writes;
          writes.keys.push_back({.record = record, .kind = store::ChangeKind::kPermit});
          writes.audit.push_back(
              {.account = record.account, .action = "key.create", .details = "{}"});
          return writes;
        };
        engine.store().Commit(plan, std::move(done));
      });
      EXPECT_TRUE(committed) << committed.error().detail;
    });
    return std::string(raw_key.Reveal());
  }

  store::testing::TempFolder temp_;
  std::string root_;
  std::string root_id_;
  std::string account_;
  p402_keys* keys_ = nullptr;
  p402_error error_{};
  p402_answer answer_{};
  p402_texts texts_;
  std::vector<std::pair<int, std::string>> events_;  // written by one thread, read when it waits
  std::function<void(const p402_event&)> on_event_;
};

TEST(Library, V5_AZeroedAnswerIsNotValid) {
  EXPECT_NE(p402_answer{}.decision, P402_VALID);
  EXPECT_STREQ(p402_decision_name(P402_UNDECIDED), "undecided");
  EXPECT_STREQ(p402_decision_name(P402_VALID), "valid");
  EXPECT_STREQ(p402_decision_name(P402_IP_NOT_ALLOWED), "ip_not_allowed");
  EXPECT_STREQ(p402_decision_name(P402_IP_NOT_ALLOWED + 1), "undecided");
  EXPECT_STREQ(p402_decision_name(-1), "undecided");
  EXPECT_EQ(p402_abi_version(), P402_ABI_VERSION);
  EXPECT_STREQ(p402_version(), P402_VERSION_STRING);
}

TEST_F(LibraryTest, V5_TellsAllAboutAValidKey) {
  Open();
  const p402_text scopes[] = {TextOf("models:run"), TextOf("models:read")};
  p402_new_key wanted{};
  wanted.name = TextOf("agent");
  wanted.owner = TextOf("customer-42");
  wanted.scopes = scopes;
  wanted.scope_count = 2;
  wanted.expires_at_ms = 4'102'444'800'000;
  const auto created = Create(wanted);
  ASSERT_EQ(error_.code, P402_OK) << error_.message;
  EXPECT_EQ(created.account_id, account_);
  EXPECT_GT(created.created_at_ms, 1'600'000'000'000);

  p402_question question{};
  question.scopes = scopes;
  question.scope_count = 2;
  ASSERT_EQ(Ask(question, created.raw_key), P402_VALID);
  EXPECT_EQ(answer_.error, P402_OK);
  EXPECT_STREQ(answer_.key_id, created.key_id);
  EXPECT_EQ(answer_.account_id, account_);
  EXPECT_EQ(answer_.mode, P402_LIVE);
  EXPECT_EQ(answer_.expires_at_ms, wanted.expires_at_ms);
  EXPECT_EQ(ViewOf(answer_.name), "agent");
  EXPECT_STREQ(answer_.name.data, "agent");
  EXPECT_EQ(ViewOf(answer_.owner), "customer-42");
  EXPECT_EQ(ViewOf(answer_.scopes), "models:read models:run");
  EXPECT_EQ(ViewOf(answer_.metadata), "");

  question.presented = TextOf(created.raw_key);
  EXPECT_TRUE(p402_verify(keys_, &question, nullptr, nullptr));
  EXPECT_TRUE(p402_verify(keys_, &question, &answer_, nullptr));
  EXPECT_STREQ(answer_.name.data, "");
}

TEST_F(LibraryTest, V5_DecidesLikeTheServer) {
  const std::string expired =
      Plant({.id = {}, .account = {}, .expires_at = WallTime(Millis(1))}, account_);
  Open();
  const p402_text cidr = TextOf("10.0.0.0/8");
  p402_new_key bound{};
  bound.name = TextOf("bound");
  bound.allowed_cidrs = &cidr;
  bound.allowed_cidr_count = 1;
  const auto networked = Create(bound);
  p402_new_key for_tests{};
  for_tests.name = TextOf("tests");
  for_tests.mode = P402_TEST;
  for_tests.owner = TextOf("somebody");  // so that it has no scopes
  const auto test = Create(for_tests);
  const auto disabled = Create("disabled");
  ASSERT_EQ(SetDisabled(disabled.key_id, true), P402_OK) << error_.message;
  const auto revoked = Create("revoked");
  ASSERT_EQ(Revoke(root_, revoked.key_id), P402_OK) << error_.message;

  EXPECT_EQ(Ask(root_), P402_VALID);
  EXPECT_EQ(Ask("p402_live_"), P402_MALFORMED);
  EXPECT_EQ(Ask(""), P402_MALFORMED);
  SystemRandom random;
  EXPECT_EQ(Ask(key::GenerateRawKey(random, "p402", key::Mode::kLive).Reveal()),
            P402_KEY_NOT_FOUND);
  EXPECT_EQ(Ask(revoked.raw_key), P402_REVOKED);
  EXPECT_EQ(Ask(disabled.raw_key), P402_DISABLED);
  EXPECT_EQ(Ask(expired), P402_EXPIRED);
  EXPECT_STREQ(answer_.key_id, "");  // what is not valid tells nothing

  EXPECT_EQ(Ask(test.raw_key), P402_WRONG_MODE);
  EXPECT_EQ(Ask(ForMode(P402_TEST), test.raw_key), P402_VALID);
  EXPECT_EQ(answer_.mode, P402_TEST);
  EXPECT_EQ(Ask(ForMode(P402_ANY_MODE), test.raw_key), P402_VALID);
  const p402_text scope = TextOf("models:read");
  EXPECT_EQ(Ask(With(&scope, 1, P402_TEST), test.raw_key), P402_INSUFFICIENT_SCOPE);

  EXPECT_EQ(Ask(networked.raw_key), P402_IP_NOT_ALLOWED);
  EXPECT_EQ(Ask(From("192.0.2.1"), networked.raw_key), P402_IP_NOT_ALLOWED);
  EXPECT_EQ(Ask(From("10.1.2.3"), networked.raw_key), P402_VALID);

  ASSERT_EQ(SetDisabled(disabled.key_id, false), P402_OK) << error_.message;
  EXPECT_EQ(Ask(disabled.raw_key), P402_VALID);
}

TEST_F(LibraryTest, V5_AnotherAccountsKeyIsNotFoundUnlessItIsAskedFor) {
  std::string other, other_account;
  WithEngine([&](service::Engine& engine) {
    std::promise<Status> loaded;
    engine.Load([&](Status status) { loaded.set_value(std::move(status)); });
    ASSERT_TRUE(loaded.get_future().get());
    const auto caller = engine.authenticator().Authenticate(root_, std::nullopt, "req");
    ASSERT_TRUE(caller);
    using Done = Result<service::CreatedAccount>;
    const auto made = Await<Done>(engine.executor(), [&](Callback<Done> done) {
      engine.accounts().Create(*caller, "second", std::move(done));
    });
    ASSERT_TRUE(made) << made.error().detail;
    other = made->key.raw_key.Reveal();
    other_account = made->account.id.ToString();
  });
  Open();
  EXPECT_EQ(Ask(other), P402_KEY_NOT_FOUND);
  EXPECT_EQ(Ask(In(other_account), other), P402_VALID);
  EXPECT_EQ(Ask(In(other_account), root_), P402_KEY_NOT_FOUND);
  EXPECT_EQ(Ask(In("*"), root_), P402_VALID);
  EXPECT_EQ(Ask(In("*"), other), P402_VALID);
  EXPECT_EQ(answer_.account_id, other_account);
}

TEST_F(LibraryTest, V4_AQuestionThatCannotBeReadIsNeverValid) {
  Open();
  const auto refused = [&](const p402_question& question) {
    Ask(question, root_);
    EXPECT_EQ(answer_.decision, P402_UNDECIDED);
    return answer_.error;
  };
  const p402_text bad_scope = TextOf("Models Read");
  const std::string long_scope(limits::kScopeBytes + 1, 'a');
  const p402_text too_long = TextOf(long_scope);
  EXPECT_EQ(refused(With(&bad_scope, 1)), P402_INVALID_ARGUMENT);
  EXPECT_EQ(refused(With(&too_long, 1)), P402_INVALID_ARGUMENT);
  EXPECT_EQ(refused(With(nullptr, 1)), P402_INVALID_ARGUMENT);
  EXPECT_EQ(refused(In("acct_")), P402_INVALID_ARGUMENT);
  EXPECT_EQ(refused(From("10.1.2")), P402_INVALID_ARGUMENT);
  EXPECT_EQ(refused(ForMode(17)), P402_INVALID_ARGUMENT);
  p402_question of_the_future{};
  of_the_future.reserved[3] = 1;
  EXPECT_EQ(refused(of_the_future), P402_INVALID_ARGUMENT);

  const std::vector<p402_text> scopes(P402_SCOPES_MAX + 1, TextOf("models:read"));
  EXPECT_EQ(Ask(With(scopes.data(), P402_SCOPES_MAX), root_), P402_VALID);
  EXPECT_EQ(refused(With(scopes.data(), scopes.size())), P402_INVALID_ARGUMENT);

  EXPECT_FALSE(p402_verify(keys_, nullptr, &answer_, nullptr));
  EXPECT_EQ(answer_.error, P402_INVALID_ARGUMENT);
  const p402_question question{};
  EXPECT_FALSE(p402_verify(nullptr, &question, &answer_, nullptr));
  EXPECT_EQ(answer_.error, P402_INVALID_ARGUMENT);
}

TEST_F(LibraryTest, V5_TextsAtTheirLimitsFit) {
  std::string name;
  for (size_t i = 0; i < limits::kNameCharacters; ++i) name += "\U0001F511";
  std::vector<std::string> scopes;
  for (char c = 'a'; c < 'a' + 15; ++c) scopes.emplace_back(limits::kScopeBytes, c);
  scopes.emplace_back(limits::kScopesBytes - 15 * (limits::kScopeBytes + 1), 'z');
  key::Record record{
      .id = {}, .account = {}, .name = name, .owner = std::string(limits::kOwnerBytes, 'o')};
  record.scopes = *key::ScopeSet::Parse(scopes);
  record.metadata = "{\"m\":\"" + std::string(limits::kMetadataBytes - 8, 'm') + "\"}";
  ASSERT_EQ(record.scopes.ToString().size(), limits::kScopesBytes);
  const std::string raw_key = Plant(record, account_);
  Open();
  ASSERT_EQ(Ask(raw_key), P402_VALID);
  EXPECT_EQ(ViewOf(answer_.name), name);
  EXPECT_EQ(ViewOf(answer_.owner), record.owner);
  EXPECT_EQ(ViewOf(answer_.scopes), record.scopes.ToString());
  EXPECT_EQ(ViewOf(answer_.metadata), record.metadata);
  EXPECT_EQ(answer_.metadata.size, limits::kMetadataBytes);

  // What no use case can make is not cut, but refused.
  Close();
  record.metadata = std::string(P402_TEXTS_BYTES, 'm');
  const std::string beyond = Plant(record, account_);
  Open();
  EXPECT_EQ(Ask(beyond), P402_UNDECIDED);
  EXPECT_EQ(answer_.error, P402_TOO_LARGE);
}

TEST_F(LibraryTest, S5_ASecondOpenerIsToldToAskTheServer) {
  Open();
  const auto options = Options();
  EXPECT_EQ(p402_open(&options, &error_), nullptr);
  EXPECT_EQ(error_.code, P402_LOCKED);
  EXPECT_THAT(error_.message, HasSubstr("server over HTTP"));
  p402_created created;
  EXPECT_EQ(p402_init(TextOf(folder()), {}, &created, &error_), P402_LOCKED);
  ASSERT_EQ(Close(), P402_OK);
  Open();
}

TEST_F(LibraryTest, V5_OpenSaysWhatIsWrong) {
  const std::string missing = folder() + "/missing";
  p402_options options{};
  options.folder = TextOf(missing);
  EXPECT_EQ(p402_open(&options, &error_), nullptr);
  EXPECT_EQ(error_.code, P402_NOT_FOUND);
  EXPECT_THAT(error_.message, HasSubstr("p402_init"));
  EXPECT_FALSE(std::filesystem::exists(missing));
  options.folder = {};
  EXPECT_EQ(p402_open(&options, &error_), nullptr);
  EXPECT_EQ(error_.code, P402_INVALID_ARGUMENT);
  EXPECT_STREQ(error_.field, "folder");
  options = Options();
  options.brand = TextOf("P402");
  EXPECT_EQ(p402_open(&options, nullptr), nullptr);
  p402_created created;
  EXPECT_EQ(p402_init(TextOf(folder()), {}, &created, &error_), P402_CONFLICT);
  EXPECT_STREQ(created.raw_key, "");
}

TEST_F(LibraryTest, V5_ProgressEndsWithEveryKey) {
  std::vector<std::pair<int64_t, int64_t>> told;
  auto options = Options();
  options.context = &told;
  options.on_event = nullptr;
  options.on_progress = [](void* context, int64_t loaded, int64_t total) {
    static_cast<decltype(told)*>(context)->emplace_back(loaded, total);
  };
  keys_ = p402_open(&options, &error_);
  ASSERT_NE(keys_, nullptr);
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back(), std::pair(int64_t{1}, int64_t{1}));
}

TEST_F(LibraryTest, R4_TheHostIsToldBeforeRevokeReturns) {
  Open();
  const auto first = Create("first");
  const auto second = Create("second");
  std::vector<int> seen;
  on_event_ = [&](const p402_event& event) {
    EXPECT_EQ(event.account_id, account_);
    const bool is_first = event.key_id == std::string_view(first.key_id);
    seen.push_back(Ask(is_first ? first.raw_key : second.raw_key));
  };
  ASSERT_EQ(SetDisabled(second.key_id, true), P402_OK) << error_.message;
  EXPECT_THAT(events_, ElementsAre(std::pair(int{P402_EVENT_RESTRICTED}, second.key_id)));
  ASSERT_EQ(SetDisabled(second.key_id, false), P402_OK) << error_.message;
  EXPECT_EQ(events_.size(), 1U);
  ASSERT_EQ(Revoke(root_, first.key_id), P402_OK) << error_.message;
  ASSERT_EQ(Revoke(root_, second.key_id), P402_OK) << error_.message;
  EXPECT_THAT(events_, ElementsAre(std::pair(int{P402_EVENT_RESTRICTED}, second.key_id),
                                   std::pair(int{P402_EVENT_REVOKED}, first.key_id),
                                   std::pair(int{P402_EVENT_REVOKED}, second.key_id)));
  EXPECT_THAT(seen, ElementsAre(P402_DISABLED, P402_REVOKED, P402_REVOKED));
}

TEST_F(LibraryTest, R4_RevokeWaitsForTheHost) {
  Open();
  const auto created = Create("agent");
  std::promise<void> told, let_go;
  on_event_ = [&](const p402_event&) {
    told.set_value();
    let_go.get_future().wait();
  };
  std::atomic<bool> has_returned = false;
  std::thread revoker([&] {
    EXPECT_EQ(Revoke(root_, created.key_id), P402_OK) << error_.message;
    has_returned = true;
  });
  told.get_future().wait();
  // The decision is made already; the change counts as enforced only when the host has obeyed.
  EXPECT_EQ(Ask(created.raw_key), P402_REVOKED);
  EXPECT_FALSE(has_returned);
  let_go.set_value();
  revoker.join();
}

TEST_F(LibraryTest, R4_WhatWouldWaitForTheEventIsRefusedInIt) {
  Open();
  const auto created = Create("agent");
  p402_error inside{};
  int create = -1, disable = -1, revoke = -1, close = -1;
  on_event_ = [&](const p402_event& event) {
    p402_new_key wanted{};
    wanted.name = TextOf("x");
    p402_created made;
    create = p402_create(keys_, TextOf(root_), &wanted, &made, &inside);
    disable = p402_set_disabled(keys_, TextOf(root_), TextOf(event.key_id), true, &inside);
    p402_revocation revocation{};
    revocation.key_id = TextOf(event.key_id);
    revoke = p402_revoke(keys_, TextOf(root_), &revocation, &inside);
    close = p402_close(keys_, &inside);
  };
  ASSERT_EQ(Revoke(root_, created.key_id), P402_OK) << error_.message;
  EXPECT_THAT((std::vector{create, disable, revoke, close}),
              ::testing::Each(int{P402_INVALID_ARGUMENT}));
  EXPECT_STREQ(inside.reason, "called_from_event");
  EXPECT_EQ(Ask(root_), P402_VALID);  // it is still open
}

TEST_F(LibraryTest, A2_AnActorCanDoWhatItCouldDoOverHttp) {
  Open();
  const p402_text scopes[] = {TextOf("keys:write"), TextOf("models:read")};
  p402_new_key wanted{};
  wanted.name = TextOf("issuer");
  wanted.scopes = scopes;
  wanted.scope_count = 2;
  const auto issuer = Create(wanted);

  wanted = {};
  wanted.name = TextOf("heir");
  const p402_text wider = TextOf("models:run");
  wanted.scopes = &wider;
  wanted.scope_count = 1;
  p402_created heir{};
  EXPECT_EQ(p402_create(keys_, TextOf(issuer.raw_key), &wanted, &heir, &error_),
            P402_PERMISSION_DENIED);
  EXPECT_STREQ(error_.reason, "escalation");
  EXPECT_STREQ(heir.raw_key, "");
  wanted.scope_count = 0;  // none, which is not the same as those of the actor
  ASSERT_EQ(p402_create(keys_, TextOf(issuer.raw_key), &wanted, &heir, &error_), P402_OK);
  EXPECT_EQ(Ask(heir.raw_key), P402_VALID);
  EXPECT_EQ(ViewOf(answer_.scopes), "");

  EXPECT_EQ(Revoke(heir.raw_key, issuer.key_id), P402_PERMISSION_DENIED);
  EXPECT_STREQ(error_.reason, "insufficient_scope");
  EXPECT_STREQ(error_.field, "keys:write");
  EXPECT_EQ(Revoke("p402_live_x", issuer.key_id), P402_UNAUTHENTICATED);
  EXPECT_STREQ(error_.reason, "malformed");
  EXPECT_EQ(Revoke(root_, "key_x"), P402_INVALID_ARGUMENT);
  EXPECT_STREQ(error_.field, "key_id");
  EXPECT_EQ(Create("").raw_key[0], '\0');
  EXPECT_STREQ(error_.field, "name");
}

TEST_F(LibraryTest, R2_ARevokedKeyMayOnlyRepeatItsOwnRevocation) {
  Open();
  const auto created = Create("agent");
  EXPECT_EQ(Revoke(created.raw_key, created.key_id), P402_OK) << error_.message;
  EXPECT_EQ(Revoke(created.raw_key, created.key_id), P402_OK) << error_.message;
  EXPECT_EQ(Revoke(created.raw_key, root_id_), P402_UNAUTHENTICATED);
  EXPECT_STREQ(error_.reason, "revoked");
  EXPECT_EQ(SetDisabled(created.key_id, true), P402_CONFLICT);
  EXPECT_EQ(Ask(root_), P402_VALID);
}

TEST_F(LibraryTest, A5_CascadeRevokesWhatTheKeyHasMade) {
  Open();
  const auto parent = Create("parent");
  p402_new_key wanted{};
  wanted.name = TextOf("child");
  p402_created child{};
  ASSERT_EQ(p402_create(keys_, TextOf(parent.raw_key), &wanted, &child, &error_), P402_OK);
  p402_revocation revocation{};
  revocation.key_id = TextOf(parent.key_id);
  revocation.reason = TextOf("leaked");
  revocation.cascade = true;
  ASSERT_EQ(p402_revoke(keys_, TextOf(root_), &revocation, &error_), P402_OK) << error_.message;
  EXPECT_EQ(Ask(child.raw_key), P402_REVOKED);
  EXPECT_EQ(events_.size(), 2U);
}

TEST_F(LibraryTest, R1_NoVerificationThatStartsAfterwardsIsValid) {
  Open();
  for (int round = 0; round < 20; ++round) {
    const auto created = Create("agent");
    std::atomic<bool> is_revoked = false;
    std::atomic<int> late = 0;
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i) {
      readers.emplace_back([&] {
        p402_question question{};
        question.presented = TextOf(created.raw_key);
        for (bool is_last = false; !is_last;) {
          is_last = is_revoked;
          const bool is_valid = p402_verify(keys_, &question, nullptr, nullptr);
          late += is_last && is_valid;
        }
      });
    }
    EXPECT_EQ(Revoke(root_, created.key_id), P402_OK) << error_.message;
    is_revoked = true;
    for (auto& reader : readers) reader.join();
    EXPECT_EQ(late, 0);
  }
}

TEST_F(LibraryTest, L1_CloseStoresTheLastUse) {
  Open();
  const auto created = Create("agent");
  EXPECT_EQ(Ask(created.raw_key), P402_VALID);
  ASSERT_EQ(Close(), P402_OK);
  std::optional<WallTime> used;
  WithEngine([&](service::Engine& engine) {
    using Done = Result<std::optional<key::Record>>;
    const auto found = Await<Done>(engine.executor(), [&](Callback<Done> done) {
      engine.store().keys().Get(*key::AccountId::Parse(account_),
                                *key::KeyId::Parse(created.key_id), std::move(done));
    });
    ASSERT_TRUE(found && *found);
    used = (*found)->last_used_at;
  });
  ASSERT_TRUE(used);
  EXPECT_GE(used->time_since_epoch().count(), created.created_at_ms / 1000 * 1000);  // A6
}

TEST_F(LibraryTest, V5_LogsOnlyWhereItIsAskedTo) {
  const std::string file = folder() + "/library.log";
  auto options = Options();
  options.log = TextOf(file);
  keys_ = p402_open(&options, &error_);
  ASSERT_NE(keys_, nullptr) << error_.message;
  const auto created = Create("agent");
  ASSERT_EQ(Close(), P402_OK);
  const auto log = ReadFile(file, 1 << 20);
  ASSERT_TRUE(log);
  EXPECT_THAT(*log, HasSubstr("\"event\":\"key.create\""));
  EXPECT_THAT(*log, HasSubstr(created.key_id));
  EXPECT_THAT(*log, ::testing::Not(HasSubstr(created.raw_key)));
}

}  // namespace
}  // namespace p402::lib
