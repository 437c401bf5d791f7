#pragma once

#include <string>
#include <vector>

#include "service/keys.h"

namespace p402::service {

struct CreatedAccount {
  store::Account account;
  CreatedKey key;  // the account's first key, with scope "*"
};

// A12. Only the first account's keys can hold accounts:write (its "*" covers it; another account's
// "*" does not).
// Threads: safe to call concurrently.
class Accounts {
 public:
  Accounts(Keys::Options options, store::Store& store, feed::Feed& feed, const Clock& clock,
           Random& random, Uuid7Generator& ids);

  // C1, C2: on a store without accounts, makes the first account and its first key.
  // Errors: kConflict if there is one. Needs no running feed: the enforcement is not waited for.
  void Bootstrap(std::string account_name, Callback<Result<CreatedAccount>> done);
  void Create(const Caller& caller, std::string name, Callback<Result<CreatedAccount>> done);
  void List(const Caller& caller, Callback<Result<std::vector<store::Account>>> done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace p402::service
