#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "key/decision.h"
#include "key/ids.h"
#include "key/record.h"

namespace p402::index {

struct Answer {
  key::Decision decision = key::Decision::kNotFound;
  // The key that was found, also if it is not valid; null for kMalformed and kNotFound. It is a
  // snapshot: it stays as it was when the decision was made.
  std::shared_ptr<const key::Record> record = nullptr;
};

struct Mark {
  key::KeyId key;
  WallTime at{};
};

// Every key in memory: verification without the store.
//
// Threads:  Put and Clear: one writer. Everything else: safe to call concurrently with it and with
// each other. Invariant: the content is a fold over the records put so far: for each id the one
// with the largest version. A record
//            that was revoked never becomes unrevoked, whatever is put.
class Index {
 public:
  explicit Index(std::string brand);
  ~Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  // Inserts or replaces, if `record.version` is newer than what is known. When it returns, every
  // later Verify sees it.
  void Put(key::Record record);
  // Forgets every key but the marks not yet taken (a full resync).
  void Clear();

  // The decision for the raw key text `presented`. A wrong checksum is kMalformed without a hash;
  // an unknown key is kNotFound from memory. kValid marks the key as used at `now` (L1). Cost: one
  // SHA-256 block, one probe.
  Answer Verify(std::string_view presented, const key::Question& question, WallTime now);
  // The same without a mark, by digest: to ask again about a key that was presented before (R2).
  Answer Recheck(const key::Digest& digest, const key::Question& question, WallTime now) const;

  std::shared_ptr<const key::Record> Find(const key::KeyId& id) const;
  size_t size() const;

  // The newest use known in memory: written, taken or still waiting.
  std::optional<WallTime> LastUsed(const key::KeyId& id) const;
  // Takes up to `limit` waiting marks, oldest first; each key at most once.
  std::vector<Mark> TakeMarks(size_t limit);
  // Gives back marks that could not be written.
  void ReturnMarks(std::vector<Mark> marks);
  size_t waiting_marks() const;
  // The time of the oldest waiting mark: every use before it is in what was taken. nullopt: none
  // waits.
  std::optional<WallTime> OldestWaitingMark() const;

  // Every record, ascending by id: for tests and snapshots.
  std::vector<key::Record> Dump() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace p402::index
