#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "service/authenticator.h"
#include "service/commit.h"
#include "service/keys.h"

namespace p402::service {

// Makes raw keys.
// Threads: safe to call concurrently.
class RawKeyMint {
 public:
  RawKeyMint(Random& random, std::string brand) : random_(&random), brand_(std::move(brand)) {}
  // A new raw key: its digest and prefix go into `record`.
  // Requires: record.mode is set.
  Secret Mint(key::Record& record) const;

 private:
  Random* random_;
  std::string brand_;
};

// Threads:  all of it is set at construction.
// Lifetime: completions under way keep it; what it refers to outlives them.
struct Keys::Impl {
  Impl(Options options, store::Store& a_store, feed::Feed& a_feed, index::Index& an_index,
       const Clock& a_clock, Random& a_random, Uuid7Generator& an_ids, Log& a_log,
       Metrics& metrics);

  // What `last_used_at` is, with the marks that are still in memory (L1). Never in the future.
  void AddUsage(key::Record& record) const;
  // R2 for reads: `scope` is needed to be shown `done`'s answer.
  Status Recheck(const Caller& caller, std::string_view scope) const {
    return authenticator.Recheck(caller, scope);
  }
  void CountAndLog(const Caller& caller, std::string_view action, const key::KeyId& id) const;

  const Options options;
  store::Store& store;
  feed::Feed& feed;
  index::Index& index;
  const Clock& clock;
  const RawKeyMint mint;
  Uuid7Generator& ids;
  Log& log;
  Metrics& metrics;
  const Authenticator authenticator;
};

Error NoSuchKey();  // A8
Error KeyConflict(std::string_view reason, std::string_view message);
Failure Escalation(std::string field, std::string message);

// A2: the target of a change as it is inside the transaction, if the actor may act on it.
// Errors: kNotFound, kPermissionDenied.
Result<key::Record> ReadTarget(store::Transaction& transaction, const key::Record& actor,
                               const key::KeyId& id);

// "status", "mode", … of a new key for the audit trail.
std::string CreationDetails(const key::Record& record);

}  // namespace p402::service
