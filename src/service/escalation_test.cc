#include <set>
#include <string>

#include "service/service_test.h"

// A2 over every pair of caller and target, against a model of its own.
namespace p402::service {
namespace {

// What a key may do, as small numbers that can be compared: a larger number is narrower.
struct Kind {
  std::set<std::string> scopes = {};
  bool is_test = false;
  int expiry = 0;   // none, in 2 h, in 1 h
  int network = 0;  // any, 10.0.0.0/8, 10.1.0.0/16
};

bool Covers(const Kind& a, const Kind& b) {
  if (a.scopes.contains("*")) return true;
  for (const auto& scope : b.scopes) {
    if (!a.scopes.contains(scope)) return false;
  }
  return true;
}

// The first field in which `result` is wider than `caller`, or nothing.
std::string Wider(const Kind& result, const Kind& caller) {
  if (caller.is_test && !result.is_test) return "mode";
  if (!Covers(caller, result)) return "scopes";
  if (result.expiry < caller.expiry) return "expires_at";
  if (result.network < caller.network) return "allowed_cidrs";
  return "";
}

std::string SayWider(const std::string& field) {
  return field.empty() ? "ok" : "denied/escalation/" + field;
}

std::string ExpectAct(const Kind& caller, const Kind& target, bool same_account) {
  if (!same_account || (caller.is_test && !target.is_test)) return "not_found";
  return Covers(caller, target) ? "ok" : "denied/escalation/scopes";
}

// With expiries and networks up to `narrowest`. Callers need only 0 and 1: the targets' 0, 1 and 2
// are then wider, equal and narrower.
std::vector<Kind> Kinds(const std::vector<std::set<std::string>>& scopes, int narrowest) {
  const int steps = narrowest + 1;
  std::vector<Kind> kinds;
  for (const auto& one : scopes) {
    for (int rest = 0; rest < 2 * steps * steps; ++rest) {
      kinds.push_back({one, rest / (steps * steps) == 1, rest / steps % steps, rest % steps});
    }
  }
  return kinds;
}

class EscalationTest : public ServiceTest {
 protected:
  std::optional<WallTime> Expiry(const Kind& kind) {
    if (kind.expiry == 0) return std::nullopt;
    return start_ + (kind.expiry == 1 ? std::chrono::hours(2) : std::chrono::hours(1));
  }
  static std::vector<std::string> Networks(const Kind& kind) {
    if (kind.network == 0) return {};
    return {kind.network == 1 ? "10.0.0.0/8" : "10.1.0.0/16"};
  }
  static std::vector<std::string> ScopeList(const Kind& kind) {
    return {kind.scopes.begin(), kind.scopes.end()};
  }
  Caller PlantKind(const Kind& kind, std::optional<key::AccountId> account = {}) {
    return Plant({.account = account,
                  .mode = kind.is_test ? key::Mode::kTest : key::Mode::kLive,
                  .scopes = Scopes(ScopeList(kind)),
                  .allowed_cidrs = Cidrs(Networks(kind)),
                  .expires_at = Expiry(kind)});
  }
  CreateRequest CreateOf(const Kind& kind) {
    return {.name = "n",
            .mode = kind.is_test ? key::Mode::kTest : key::Mode::kLive,
            .scopes = ScopeList(kind),
            .expires_at = Expiry(kind),
            .allowed_cidrs = Networks(kind)};
  }
  UpdateRequest UpdateTo(const Kind& kind) {
    return {.scopes = ScopeList(kind), .expires_at = Expiry(kind), .allowed_cidrs = Networks(kind)};
  }
  static std::string Name(const Kind& kind) {
    std::string name = kind.is_test ? "test" : "live";
    for (const auto& scope : kind.scopes) name += " " + scope;
    return name + " expiry " + std::to_string(kind.expiry) + " network " +
           std::to_string(kind.network);
  }

  const WallTime start_ = clock_.Now();
  const std::vector<Kind> callers_ = Kinds({{"keys:write"}, {"keys:write", "a"}, {"*"}}, 1);
  const std::vector<Kind> targets_ = Kinds({{}, {"a"}, {"a", "keys:write"}, {"*"}}, 2);
};

TEST_F(EscalationTest, A2_Create) {
  for (const auto& caller : callers_) {
    const auto actor = PlantKind(caller);
    for (const auto& wanted : targets_) {
      ASSERT_EQ(Say(Create(actor, CreateOf(wanted))), SayWider(Wider(wanted, caller)))
          << Name(caller) << " makes " << Name(wanted);
    }
  }
}

TEST_F(EscalationTest, A2_UpdateOfAnything) {
  for (const auto& caller : callers_) {
    const auto actor = PlantKind(caller);
    for (const auto& target : targets_) {
      const auto expected = ExpectAct(caller, target, true);
      const auto within = expected == "ok" ? SayWider(Wider(target, caller)) : expected;
      const auto id = PlantKind(target).record->id;
      ASSERT_EQ(Say(Update(actor, id, {.name = "renamed"})), within)
          << Name(caller) << " renames " << Name(target);
    }
  }
}

// From a narrow key, which every caller may act on, to anything.
TEST_F(EscalationTest, A2_UpdateToAnything) {
  for (const auto& caller : callers_) {
    const auto actor = PlantKind(caller);
    for (auto wanted : targets_) {
      Kind narrow{.is_test = wanted.is_test, .expiry = 2, .network = 2};
      auto expected = ExpectAct(caller, narrow, true);
      if (expected == "ok") expected = SayWider(Wider(wanted, caller));
      const auto id = PlantKind(narrow).record->id;
      ASSERT_EQ(Say(Update(actor, id, UpdateTo(wanted))), expected)
          << Name(caller) << " changes a narrow key to " << Name(wanted);
      if (expected != "ok") {
        ASSERT_TRUE(Stored(id).scopes.empty()) << "nothing is half done";
      }
    }
  }
}

TEST_F(EscalationTest, A2_UpdateOfItself) {
  for (const auto& self : callers_) {
    for (auto wanted : targets_) {
      wanted.is_test = self.is_test;
      const auto actor = PlantKind(self);
      ASSERT_EQ(Say(Update(actor, actor.record->id, UpdateTo(wanted))),
                SayWider(Wider(wanted, self)))
          << Name(self) << " changes itself to " << Name(wanted);
    }
  }
}

TEST_F(EscalationTest, A2_Rotate) {
  for (const auto& caller : callers_) {
    const auto actor = PlantKind(caller);
    for (const auto& target : targets_) {
      const auto expected = ExpectAct(caller, target, true);
      const auto within = expected == "ok" ? SayWider(Wider(target, caller)) : expected;
      const auto id = PlantKind(target).record->id;
      ASSERT_EQ(Say(Rotate(actor, id)), within) << Name(caller) << " rotates " << Name(target);
    }
  }
}

TEST_F(EscalationTest, A2_Revoke) {
  for (const auto& caller : callers_) {
    const auto actor = PlantKind(caller);
    for (const auto& target : targets_) {
      const auto id = PlantKind(target).record->id;
      ASSERT_EQ(Say(Revoke(actor, id)), ExpectAct(caller, target, true))
          << Name(caller) << " revokes " << Name(target);
    }
  }
}

TEST_F(EscalationTest, A8_AnotherAccountsKeyIsNotThereForAnyCaller) {
  const auto account = OtherAccount();
  for (const auto& caller : callers_) {
    const auto actor = PlantKind(caller);
    for (const auto& target : {targets_.front(), targets_.back()}) {
      const auto id = PlantKind(target, account).record->id;
      ASSERT_EQ(Say(Update(actor, id, {.name = "n"})), "not_found");
      ASSERT_EQ(Say(Rotate(actor, id)), "not_found");
      ASSERT_EQ(Say(Revoke(actor, id)), "not_found");
    }
  }
}

}  // namespace
}  // namespace p402::service
