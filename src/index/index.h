#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "index/marks.h"
#include "index/view.h"
#include "key/decision.h"
#include "key/ids.h"
#include "key/record.h"

namespace p402::index {

struct Answer {
  key::Decision decision = key::Decision::kNotFound;
  // The key that was found, also if it is not valid; none for kMalformed and kNotFound.
  View key = {};
};

// What the index occupies, in bytes.
struct MemoryUse {
  size_t cells = 0;        // digest, id, state, last use; also those that are free
  size_t directories = 0;  // by digest and by id
  size_t shared = 0;       // accounts with their scope sets, once each
  size_t limits = 0;       // expiries and networks: the part of the facts that decides
  size_t facts = 0;        // the rest of them: names, owners, metadata, …, and what is free
  size_t for_decisions() const { return cells + directories + shared + limits; }
};

// One key as a snapshot has it (snapshot.h).
// Lifetime: that of what it was decoded from.
struct KeyImage {
  key::Digest digest{};
  key::KeyId id = {};
  key::AccountId account = {};
  bool is_test = false;
  bool is_disabled = false;
  std::string_view scopes = {};           // as ScopeSet::ToString
  std::span<const std::byte> facts = {};  // AreFacts
};

// Every key in memory: verification without the store.
//
// Threads: Verify, Recheck, Find, size, LastUsed: any; they wait for no writer. Put, Load, Clear,
// Reserve, ReturnMarks, Dump, memory_use: one at a time (a lock sees to it), and not while the calling
// thread has a View. TakeMarks, OldestWaitingMark, waiting_marks: any; they wait for each other.
// Invariant: the content is a fold over the records put so far: for each id the one with the
// largest version. A record that was revoked never becomes unrevoked, whatever is put.
// Limits: 2^27 keys and 64 GiB of names, metadata and the like; beyond it the process ends, as it
//         does without memory.
class Index {
 public:
  explicit Index(std::string brand);
  ~Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  // Inserts or replaces, if `record.version` is newer than what is known. When it returns, every
  // later Verify sees it. Waits for readers only if the record gives a known id another digest.
  void Put(const key::Record& record);
  // The same one after the other: many at once cost less each.
  void Put(std::span<const key::Record> records);
  // Makes room for so many keys, if the index is empty: then Put does not have to make any, and
  // most keys are found with one wait for the memory instead of two. From kKeysToPopulate on, a
  // thread touches that memory ahead of Put and Load.
  void Reserve(size_t keys);
  static constexpr size_t kKeysToPopulate = 500'000;
  // Adds keys of a snapshot to an index that nothing else was put into. The more keys at once, the
  // less each costs.
  // Errors: kCorrupt if one is known already; then Clear() it.
  Status Load(std::span<const KeyImage> keys);
  // Forgets every key but the marks not yet taken (a full resync). Waits for readers.
  void Clear();

  // The decision for the raw key text `presented`. A wrong checksum is kMalformed, whatever is known;
  // an unknown key is kNotFound from memory. kValid marks the key as used at `now` (L1), unless
  // `marks_use` is false. Cost: one SHA-256 block, one wait for the memory, of a key that is known
  // mostly for two lines at once; no allocation.
  Answer Verify(std::string_view presented, const key::Question& question, WallTime now,
                bool marks_use = true);
  // The same without a mark, by digest: to ask again about a key that was presented before (R2).
  Answer Recheck(const key::Digest& digest, const key::Question& question, WallTime now) const;

  std::shared_ptr<const key::Record> Find(const key::KeyId& id) const;
  size_t size() const;
  MemoryUse memory_use() const;

  // The newest use known in memory: written, taken or still waiting. In whole seconds (A6).
  std::optional<WallTime> LastUsed(const key::KeyId& id) const;
  // Takes up to `limit` waiting marks, oldest first; each key at most once.
  std::vector<Mark> TakeMarks(size_t limit);
  // Gives back marks that could not be written.
  void ReturnMarks(const std::vector<Mark>& marks);
  size_t waiting_marks() const;
  // The time of the oldest waiting mark, or an earlier one: every use before it is in what was
  // taken. nullopt: none waits.
  std::optional<WallTime> OldestWaitingMark() const;

  // Shows `visit` the keys in up to `cells` cells from cell `from` on, 1 at first. Returns where to
  // go on, or 0 after the last. Of a key that is changed during a walk, the version before or after
  // is seen; one that gets another digest may be seen twice or not at all.
  // Threads: any; waits for one Put at most.
  // Requires: no Clear() meanwhile.
  uint32_t Walk(uint32_t from, uint32_t cells, const std::function<void(const View&)>& visit) const;

  // Every record, ascending by id: for tests.
  std::vector<key::Record> Dump() const;

 private:
  struct Impl;
  Answer Decide(const key::Digest& digest, const key::Question& question, WallTime now,
                bool marks_use) const;
  View ViewOf(const key::KeyId& id) const;

  std::unique_ptr<Impl> impl_;
};

}  // namespace p402::index
