/* libp402: API keys verified, issued and revoked in this process, without a socket.
 *
 * This header is the library's only stable ABI (C99 and later). p402/keys.h is C++ over it.
 *
 * A process opens a data folder and owns it: a server that holds the same folder keeps it out, and
 * it keeps a server out. What it decides, changes and records is what a server would.
 *
 * Rules that hold for every function:
 *
 * Ownership: the library never gives away memory and never keeps what it was given. What comes in
 *            is only read during the call, what goes out is written into the caller's structs. The
 *            one thing to free is the p402_keys of p402_open(), with p402_close().
 * Inputs:    a struct of inputs that is all zero asks for the defaults. `reserved` stays zero.
 * Errors:    nothing is thrown, and errno is not used. Where a function returns int it is P402_OK
 *            or one of the codes below, and `error`, which may be NULL, gets the same with words.
 * Threads:   every function may be called from any thread, also concurrently, unless it says
 *            otherwise. After fork() the child leaves the p402_keys of its parent alone.
 */
#ifndef P402_C_H_
#define P402_C_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define P402_API __attribute__((visibility("default")))

/* The version of this header, and the number that changes when programs must be compiled anew. The
 * latter is the number in the name of the shared library, libp402.so.0. */
#define P402_VERSION_MAJOR 0
#define P402_VERSION_MINOR 1
#define P402_VERSION_PATCH 0
#define P402_VERSION_STRING "0.1.0"
#define P402_ABI_VERSION 0

/* The P402_ABI_VERSION that the loaded library was built with. */
P402_API int p402_abi_version(void);
/* The P402_VERSION_STRING of the loaded library. Lifetime: static. */
P402_API const char* p402_version(void);

/* --- Values ---------------------------------------------------------------------------------- */

/* A text that somebody else owns: `size` bytes at `data`, with or without a NUL behind them.
 * Absent: all zero. Texts that the library writes do have a NUL behind them. */
typedef struct p402_text {
  const char* data;
  size_t size;
} p402_text;

/* `text` up to its NUL; absent for NULL. Lifetime: that of `text`. */
static inline p402_text p402_text_of(const char* text) {
  p402_text result;
  result.data = text;
  result.size = text == NULL ? 0 : strlen(text);
  return result;
}

/* What an int that is returned means. Never renumber. */
enum {
  P402_OK = 0,
  P402_INVALID_ARGUMENT = 1,   /* the input is wrong; `field` names what */
  P402_UNAUTHENTICATED = 2,    /* the actor's key is not accepted (any more) */
  P402_PERMISSION_DENIED = 3,  /* the actor's key may not do this */
  P402_NOT_FOUND = 4,          /* does not exist, or the actor may not see it */
  P402_CONFLICT = 5,           /* does not fit the present state */
  P402_TOO_LARGE = 6,          /* over a limit */
  P402_RESOURCE_EXHAUSTED = 7, /* out of disk, memory or threads */
  P402_UNAVAILABLE = 8,        /* cannot be answered now; a retry may succeed */
  P402_LOCKED = 9,             /* somebody else, such as a server, holds the data folder */
  P402_CORRUPT = 10,           /* bytes at rest that cannot be right */
  P402_IO = 11,                /* the operating system failed an operation */
  P402_INTERNAL = 12           /* a defect that was contained */
};

/* The outcome of a verification. Never renumber. 0, what a zeroed struct says, is not valid. */
enum {
  P402_UNDECIDED = 0, /* there is no decision: `error` says why. Treat the key as not valid */
  P402_VALID = 1,
  P402_MALFORMED = 2,
  P402_KEY_NOT_FOUND = 3,
  P402_REVOKED = 4,
  P402_DISABLED = 5,
  P402_EXPIRED = 6,
  P402_INSUFFICIENT_SCOPE = 7,
  P402_WRONG_MODE = 8,
  P402_IP_NOT_ALLOWED = 9
};
/* "valid", "not_found", … as the server writes it; "undecided" for everything else. Lifetime:
 * static. */
P402_API const char* p402_decision_name(int decision);

/* Never renumber. */
enum {
  P402_DEFAULT_MODE = 0, /* to verify: live; for a new key: the mode of the actor's */
  P402_LIVE = 1,
  P402_TEST = 2,
  P402_ANY_MODE = 3 /* only to verify */
};

/* Sizes in bytes, with the NUL. */
#define P402_ID_BYTES 32      /* "key_…", "acct_…" */
#define P402_RAW_KEY_BYTES 64 /* a raw key */
#define P402_TEXTS_BYTES 6144 /* name, owner, scopes and metadata of one key, at their limits */
#define P402_SCOPES_MAX 64    /* scopes in one question: a number, not bytes */

/* Why something failed. The texts are cut if they do not fit; no raw key is ever in one. */
typedef struct p402_error {
  int code;          /* P402_OK, … */
  char reason[32];   /* a stable word such as "revoked" or "escalation"; may be empty */
  char field[64];    /* the field of the input, or the scope that is missing; may be empty */
  char message[320]; /* for people */
} p402_error;

/* --- Opening and closing --------------------------------------------------------------------- */

/* An open data folder. */
typedef struct p402_keys p402_keys;

enum {
  P402_EVENT_REVOKED = 1,   /* the key is revoked for good */
  P402_EVENT_RESTRICTED = 2 /* it may do less, or is disabled: verify again what is under way */
};

/* Something that ends or narrows what a key may do. */
typedef struct p402_event {
  int kind;         /* P402_EVENT_… */
  int64_t sequence; /* of the change in the log: grows */
  char key_id[P402_ID_BYTES];
  char account_id[P402_ID_BYTES];
} p402_event;

/* All zero but `folder`: the defaults. */
typedef struct p402_options {
  p402_text folder; /* required: the data folder, which exists */
  p402_text brand;  /* what raw keys start with; absent: "p402" */
  p402_text log;    /* a file that JSON lines are appended to; absent: nothing is logged */
  void* context;    /* is handed to the two functions below */

  /* Told of every revocation and restriction, so that the process can cut what runs on that key.
   * Called after p402_verify() decides anew, and before the call that made the change returns: a
   * change counts as enforced only when this has returned. Expiry is not told: a key ends by itself
   * at `expires_at_ms`.
   *
   * Threads: a thread of the library's, one call at a time, in the order of the changes, from
   *          p402_open() to p402_close(). It may call p402_verify(). It must not block for long,
   *          and p402_create(), p402_revoke(), p402_set_disabled() and p402_close() are refused
   *          there, because they would wait for it. It does not throw. */
  void (*on_event)(void* context, const p402_event* event);

  /* Told how many of the `total` keys are loaded: now and then, and at the end of a successful
   * p402_open(), on the thread that called it. It does not throw. */
  void (*on_progress)(void* context, int64_t loaded, int64_t total);

  uint64_t reserved[4];
} p402_options;

/* Opens a data folder, takes it for this process, and loads every key: the call takes as long as
 * that. NULL on failure. The library starts threads, and changes neither signals nor limits of the
 * process.
 *
 * Errors: P402_LOCKED (a server or another p402_keys holds it: ask that server instead),
 *         P402_NOT_FOUND (no store there: p402_init() makes one), P402_CORRUPT, P402_CONFLICT
 *         (a newer format), P402_INVALID_ARGUMENT, P402_IO, P402_RESOURCE_EXHAUSTED. */
P402_API p402_keys* p402_open(const p402_options* options, p402_error* error);

/* Writes the uses of keys that are not stored yet, and gives the folder back. `keys` may be NULL.
 *
 * Threads:  the last call; no other one is under way, and it does not come from on_event.
 * Lifetime: `keys` is gone when it returns, whatever it returns, unless it was refused.
 * Errors:   why uses could not be written: the last of `last_used_at` is lost, and nothing else.
 *           P402_INVALID_ARGUMENT, reason "called_from_event": refused. */
P402_API int p402_close(p402_keys* keys, p402_error* error);

/* --- Verification ---------------------------------------------------------------------------- */

/* What is asked. All zero but `presented`: any valid live key of the first account. */
typedef struct p402_question {
  p402_text presented;     /* required: the raw key, as it was presented */
  const p402_text* scopes; /* the key must have all of these, at most P402_SCOPES_MAX */
  size_t scope_count;
  p402_text account; /* "acct_…": the key must belong to it; "*": to any; absent: to the first */
  p402_text ip;      /* who presents it, IPv4 or IPv6; absent: unknown, which fails a key that is
                        bound to networks */
  int mode;          /* P402_DEFAULT_MODE: live */
  uint64_t reserved[4];
} p402_question;

/* Where the texts of an answer are put. */
typedef struct p402_texts {
  char bytes[P402_TEXTS_BYTES];
} p402_texts;

/* All but `decision` and `error` is about a valid key, and empty or 0 otherwise. */
typedef struct p402_answer {
  int decision; /* P402_VALID, … */
  int error;    /* P402_OK, or why it is P402_UNDECIDED */
  int mode;     /* P402_LIVE or P402_TEST */
  char key_id[P402_ID_BYTES];
  char account_id[P402_ID_BYTES];
  int64_t expires_at_ms; /* since the epoch; 0: never */
  /* Lifetime: until `texts` is used again. Without `texts` they are empty. */
  p402_text name;
  p402_text owner;    /* empty: none */
  p402_text scopes;   /* separated by spaces */
  p402_text metadata; /* compact JSON of an object; empty: none */
  uint64_t reserved[4];
} p402_answer;

/* True if the key is valid for what is asked; `answer` and `texts`, which may both be NULL, get the
 * rest. A valid answer marks the key as used; the mark is stored within a second. Fails closed: on
 * any error the answer is false, P402_UNDECIDED and `error`.
 *
 * Threads: safe to call concurrently, also from on_event; waits for nothing.
 * Cost:    one SHA-256 block and one look into memory. No allocation, once the calling thread
 *          has asked the like.
 * Errors:  P402_INVALID_ARGUMENT (scopes, account, ip or mode cannot be read), P402_UNAVAILABLE
 *          (the store is damaged), P402_INTERNAL. */
P402_API bool p402_verify(p402_keys* keys, const p402_question* question, p402_answer* answer,
                          p402_texts* texts);

/* --- Changes --------------------------------------------------------------------------------- */

/* `actor` is the raw key of who does it, as on a request to the server: its scopes, its account and
 * its mode bound what can be done, and the audit trail names it. It needs keys:write. A key that is
 * bound to networks cannot act here. The calls return when the change is stored and enforced, after
 * one durable write and after on_event has returned.
 *
 * Errors of all of them: P402_UNAUTHENTICATED with the decision about the actor as reason;
 * P402_PERMISSION_DENIED, reason "insufficient_scope" or "escalation"; P402_NOT_FOUND;
 * P402_INVALID_ARGUMENT with the field and its limit, or reason "called_from_event";
 * P402_RESOURCE_EXHAUSTED (disk full); P402_IO; P402_CORRUPT; P402_UNAVAILABLE, also when a change
 * is stored and not known to be enforced: the message says so, and repeating it is safe for
 * p402_revoke() and p402_set_disabled(). */

/* All zero but `name`: a key with what the actor's may do. */
typedef struct p402_new_key {
  p402_text name;          /* required: 1 to 100 characters */
  p402_text owner;         /* the customer or agent it is for, at most 255 bytes; absent: none */
  const p402_text* scopes; /* NULL: the actor's, or none if there is an owner */
  size_t scope_count;
  const p402_text* allowed_cidrs; /* networks that it may be used from; none: from anywhere */
  size_t allowed_cidr_count;
  int64_t expires_at_ms; /* since the epoch; 0: never */
  int mode;              /* P402_DEFAULT_MODE: the actor's */
  uint64_t reserved[4];
} p402_new_key;

/* A key that was made. `raw_key` is shown here and never again: hand it on, then wipe the struct
 * with p402_wipe(). */
typedef struct p402_created {
  char key_id[P402_ID_BYTES];
  char account_id[P402_ID_BYTES];
  char raw_key[P402_RAW_KEY_BYTES];
  int64_t created_at_ms;
} p402_created;

/* Makes a store in `folder`, with a first account and a first key that may do everything, as
 * `p402 init` does. The folder is made (mode 0700) if it is missing. `brand` may be absent: "p402".
 * Errors: P402_CONFLICT if there is a store with an account already; P402_LOCKED; as p402_open().
 */
P402_API int p402_init(p402_text folder, p402_text brand, p402_created* created, p402_error* error);

/* Makes a key. It is valid from the moment that this returns. */
P402_API int p402_create(p402_keys* keys, p402_text actor, const p402_new_key* wanted,
                         p402_created* created, p402_error* error);

typedef struct p402_revocation {
  p402_text key_id; /* required */
  p402_text reason; /* at most 255 bytes; absent: none */
  bool cascade;     /* also what it made, and what these made or were rotated to, and so on */
  uint64_t reserved[4];
} p402_revocation;

/* Revokes a key for good. When it has returned P402_OK no p402_verify() that starts afterwards says
 * that the key is valid, and on_event has returned. Repeating it is not an error. A key may revoke
 * itself without any scope. */
P402_API int p402_revoke(p402_keys* keys, p402_text actor, const p402_revocation* revocation,
                         p402_error* error);

/* Disables a key, as enforced as a revocation is, or enables it again. A key cannot enable itself.
 * Errors: P402_CONFLICT if it is revoked. */
P402_API int p402_set_disabled(p402_keys* keys, p402_text actor, p402_text key_id, bool is_disabled,
                               p402_error* error);

/* Overwrites memory that has held a raw key, so that the compiler does not leave it out. */
P402_API void p402_wipe(void* memory, size_t size);

#if defined(__cplusplus)
} /* extern "C" */
#endif

#endif /* P402_C_H_ */
