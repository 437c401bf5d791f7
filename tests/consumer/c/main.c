/* The life of a key through p402/c.h: consumer FOLDER, which is made. Prints "ok" at the end. */
#include <p402/c.h>
#include <stdio.h>
#include <stdlib.h>

#include "count_allocations.h"

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                        \
    }                                                                 \
  } while (0)

static void on_event(void* context, const p402_event* event) {
  *(p402_event*)context = *event;
}

static bool verify(p402_keys* keys, const char* raw_key, p402_answer* answer, p402_texts* texts) {
  static const char* const kScope = "models:read-everything-there-is";
  const p402_text scope = p402_text_of(kScope);
  p402_question question = {0};
  question.presented = p402_text_of(raw_key);
  question.scopes = &scope;
  question.scope_count = 1;
  question.ip = p402_text_of("2001:db8::42");
  return p402_verify(keys, &question, answer, texts);
}

/* Also with texts, a scope that is longer than a small string, and a failing question. */
static void check_no_allocation(p402_keys* keys, const p402_created* created) {
  p402_answer answer;
  static p402_texts texts;
  CHECK(verify(keys, created->raw_key, &answer, &texts));
  CHECK(!verify(keys, "rubbish", &answer, &texts));
  const unsigned long before = allocations_of_this_thread();
  int valid = 0;
  for (int i = 0; i < 10000; ++i) {
    valid += verify(keys, created->raw_key, &answer, &texts);
    valid += verify(keys, "rubbish", &answer, &texts);
  }
  const unsigned long made = allocations_of_this_thread() - before;
  CHECK(valid == 10000);
  CHECK(before > 0);
  printf("allocations in 10000 valid verifications: %lu\n", made);
  CHECK(made == 0);
}

static void check_revocation(p402_keys* keys, const char* root, const p402_created* created,
                             const p402_event* told) {
  p402_error error;
  p402_answer answer;
  p402_revocation revocation = {0};
  revocation.key_id = p402_text_of(created->key_id);
  revocation.reason = p402_text_of("a test");
  CHECK(p402_revoke(keys, p402_text_of(root), &revocation, &error) == P402_OK);
  CHECK(told->kind == P402_EVENT_REVOKED);
  CHECK(strcmp(told->key_id, created->key_id) == 0);
  CHECK(!verify(keys, created->raw_key, &answer, NULL));
  CHECK(answer.decision == P402_REVOKED);
  CHECK(strcmp(p402_decision_name(answer.decision), "revoked") == 0);
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  CHECK(p402_abi_version() == P402_ABI_VERSION);
  CHECK(strcmp(p402_version(), P402_VERSION_STRING) == 0);
  p402_error error;
  p402_created root;
  CHECK(p402_init(p402_text_of(argv[1]), p402_text_of(NULL), &root, &error) == P402_OK);

  p402_event told = {0};
  p402_options options = {0};
  options.folder = p402_text_of(argv[1]);
  options.context = &told;
  options.on_event = on_event;
  p402_keys* keys = p402_open(&options, &error);
  CHECK(keys != NULL);
  CHECK(p402_open(&options, &error) == NULL);
  CHECK(error.code == P402_LOCKED);

  p402_new_key wanted = {0};
  wanted.name = p402_text_of("consumer in C");
  p402_created created;
  CHECK(p402_create(keys, p402_text_of(root.raw_key), &wanted, &created, &error) == P402_OK);
  p402_answer answer;
  p402_texts texts;
  CHECK(verify(keys, created.raw_key, &answer, &texts));
  CHECK(strcmp(answer.key_id, created.key_id) == 0);
  CHECK(strcmp(answer.name.data, "consumer in C") == 0);
  CHECK(strcmp(answer.scopes.data, "*") == 0);

  check_no_allocation(keys, &created);
  check_revocation(keys, root.raw_key, &created, &told);
  p402_wipe(&created, sizeof created);
  p402_wipe(&root, sizeof root);
  CHECK(p402_close(keys, &error) == P402_OK);
  puts("ok");
  return 0;
}
