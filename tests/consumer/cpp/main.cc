// The life of a key through p402/keys.h: consumer FOLDER, which is made. Prints "ok" at the end.
#include <p402/keys.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#define CHECK(condition)                                                   \
  do {                                                                     \
    if (!(condition)) {                                                    \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                        \
    }                                                                      \
  } while (false)

int main(int argc, char** argv) {
  CHECK(argc == 2);
  p402::CreatedKey root;
  CHECK(p402::Init(argv[1], root).ok());

  std::vector<std::string> revoked;
  p402::Outcome outcome;
  const auto keys = p402::Keys::Open(
      {.folder = argv[1],
       .on_event = [&](const p402::Event& event) { revoked.emplace_back(event.key_id); }},
      outcome);
  CHECK(keys != nullptr);
  p402::Outcome second;
  CHECK(p402::Keys::Open({.folder = argv[1]}, second) == nullptr);
  CHECK(second.code() == P402_LOCKED);

  p402::CreatedKey created;
  const std::string_view scopes[] = {"models:read"};
  CHECK(keys->Create(root.raw_key(), {.name = "consumer in C++", .scopes = scopes}, created).ok());
  p402::Answer answer;
  const p402::Question question{.presented = created.raw_key(), .scopes = scopes};
  CHECK(keys->Verify(question, answer));
  CHECK(answer.key_id() == created.key_id());
  CHECK(answer.name() == "consumer in C++");

  CHECK(keys->Revoke(root.raw_key(), {.key_id = created.key_id()}).ok());
  CHECK(revoked == std::vector<std::string>{std::string(created.key_id())});
  CHECK(!keys->Verify(question, answer));
  CHECK(answer.decision() == P402_REVOKED);
  CHECK(keys->Close().ok());
  std::puts("ok");
  return 0;
}
