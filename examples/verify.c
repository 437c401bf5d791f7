/* Verifies the raw key on standard input against a data folder, without a server:
 *
 *   cc verify.c -o verify $(pkg-config --cflags --libs p402)
 *   ./verify /var/lib/my-api models:read < key.txt
 *
 * Exit code: 0 if the key is valid and has the scope, 1 if not, 2 if that could not be decided. */
#include <p402/c.h>
#include <stdio.h>

/* Reads one line. A raw key does not belong into argv, where every process of the machine sees it.
 */
static p402_text read_line(char* line, int size) {
  if (fgets(line, size, stdin) == NULL) line[0] = '\0';
  line[strcspn(line, "\r\n")] = '\0';
  return p402_text_of(line);
}

static int decide(p402_keys* keys, p402_text presented, p402_text scope) {
  /* A struct of inputs begins as zero: then what is not set has its default, also in versions of
   * the library that know more fields. */
  p402_question question = {0};
  question.presented = presented;
  question.scopes = &scope;
  question.scope_count = 1;

  /* The answer points into `texts`: both are ours, there is nothing to free. Leave out the texts
   * (NULL) where the id of the key is enough. */
  p402_answer answer;
  p402_texts texts;
  if (p402_verify(keys, &question, &answer, &texts)) {
    printf("valid: %s \"%s\" of \"%s\", scopes: %s\n", answer.key_id, answer.name.data,
           answer.owner.data, answer.scopes.data);
    return 0;
  }
  /* Whatever it is, it is not valid. "undecided" is not the key's fault: answer.error says whose.
   */
  printf("%s\n", p402_decision_name(answer.decision));
  return answer.decision == P402_UNDECIDED ? 2 : 1;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s FOLDER SCOPE < KEY\n", argv[0]);
    return 2;
  }
  /* Takes the folder for this process and loads every key: once, when a program starts. */
  p402_options options = {0};
  options.folder = p402_text_of(argv[1]);
  p402_error error;
  p402_keys* keys = p402_open(&options, &error);
  if (keys == NULL) {
    /* P402_LOCKED: a server has the folder, and is the one to ask. */
    fprintf(stderr, "%s\n", error.message);
    return 2;
  }

  char line[128];
  const p402_text presented = read_line(line, sizeof line);
  const int result = decide(keys, presented, p402_text_of(argv[2]));
  p402_wipe(line, sizeof line);

  /* Stores when the key was used. After a crash at most the last second of that is missing. */
  if (p402_close(keys, &error) != P402_OK) fprintf(stderr, "%s\n", error.message);
  return result;
}
