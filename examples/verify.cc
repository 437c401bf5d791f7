// An API in one process that issues keys, asks about them and cuts what runs on a revoked one:
//
//   c++ -std=c++20 verify.cc -o verify $(pkg-config --cflags --libs p402)
//   ./verify ./new-folder
#include <p402/keys.h>

#include <cstdio>
#include <map>
#include <mutex>
#include <string>

namespace {

// What runs on which key: here a line of text, in a real program a connection.
class Running {
 public:
  void Add(std::string_view key_id, std::string what) {
    const std::lock_guard lock(mutex_);
    by_key_.emplace(key_id, std::move(what));
  }
  // When this has returned nothing runs on the key any more. Called on a thread of the library's.
  void Cut(std::string_view key_id) {
    const std::lock_guard lock(mutex_);
    for (auto [it, end] = by_key_.equal_range(std::string(key_id)); it != end;) {
      std::printf("cut: %s\n", it->second.c_str());
      it = by_key_.erase(it);
    }
  }

 private:
  std::mutex mutex_;
  std::multimap<std::string, std::string> by_key_;
};

int Fail(const p402::Outcome& outcome) {
  const std::string message(outcome.message());
  std::fprintf(stderr, "%s\n", message.c_str());
  return 1;
}

// One request of somebody who presents a key. The decision takes about as long as hashing the key.
bool Serve(p402::Keys& keys, std::string_view presented, Running& running) {
  const std::string_view scopes[] = {"models:run"};
  p402::Answer answer;
  if (!keys.Verify({.presented = presented, .scopes = scopes, .ip = "203.0.113.9"}, answer)) {
    const std::string why(answer.decision_name());
    std::printf("401: %s\n", why.c_str());
    return false;
  }
  running.Add(answer.key_id(), "a stream of " + std::string(answer.owner()));
  std::printf("200\n");
  return true;
}

int Run(const char* folder) {
  // The first key of a new folder may do everything. It is shown here and never again; a real
  // program keeps it where it keeps its other secrets.
  p402::CreatedKey root;
  if (auto made = p402::Init(folder, root); !made.ok()) return Fail(made);

  // A revocation counts as enforced when on_event has returned, so that Revoke() returns when
  // nobody gets in any more and whoever was in is out.
  Running running;
  p402::Options options{.folder = folder};
  options.on_event = [&](const p402::Event& event) { running.Cut(event.key_id); };
  p402::Outcome outcome;
  const auto keys = p402::Keys::Open(options, outcome);
  if (!keys) return Fail(outcome);

  // Who makes a key presents one: it cannot give what it does not have, and is in the audit trail.
  const std::string_view scopes[] = {"models:run"};
  p402::CreatedKey customer;
  outcome = keys->Create(root.raw_key(),
                         {.name = "agent", .owner = "customer-42", .scopes = scopes}, customer);
  if (!outcome.ok()) return Fail(outcome);

  Serve(*keys, customer.raw_key(), running);
  outcome = keys->Revoke(root.raw_key(), {.key_id = customer.key_id(), .reason = "left"});
  if (!outcome.ok()) return Fail(outcome);
  Serve(*keys, customer.raw_key(), running);

  outcome = keys->Close();
  return outcome.ok() ? 0 : Fail(outcome);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s NEW-FOLDER\n", argv[0]);
    return 2;
  }
  return Run(argv[1]);
}
