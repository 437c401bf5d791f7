#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/result.h"
#include "store/change.h"

namespace p402::store {

struct KeyFilter {
  std::optional<key::Mode> mode = {};
  std::optional<key::KeyStatus> status = {};  // as of `now`
  std::optional<std::string> owner = {};      // exact
  std::optional<std::string> prefix = {};     // the shown prefix starts with it
  std::optional<std::string> name = {};       // substring; ASCII letters match in either case
  std::optional<WallTime> unused_since = {};  // never used, or last used before
  std::optional<WallTime> expires_before = {};
  WallTime now{};
};

struct KeyPageRequest {
  key::AccountId account;
  KeyFilter filter = {};
  std::optional<key::KeyId> before = {};  // ids are listed in descending order, below this one
  size_t limit = 100;
};

struct KeyPage {
  std::vector<key::Record> keys;
  bool has_more = false;
};

// Reading keys. Every call completes on the callback's executor and never blocks the caller.
class Keys {
 public:
  virtual ~Keys() = default;
  // nullopt: no such key in this account.
  virtual void Get(const key::AccountId& account, const key::KeyId& id,
                   Callback<Result<std::optional<key::Record>>> done) = 0;
  // Newest first.
  virtual void List(KeyPageRequest request, Callback<Result<KeyPage>> done) = 0;
  // Up to `limit` keys of all accounts with id > `after`, ascending: how the index is loaded.
  virtual void Scan(const key::KeyId& after, size_t limit,
                    Callback<Result<std::vector<key::Record>>> done) = 0;
  virtual void Count(Callback<Result<int64_t>> done) = 0;
};

class Accounts {
 public:
  virtual ~Accounts() = default;
  // Ascending by id, so that the first account comes first.
  virtual void List(Callback<Result<std::vector<Account>>> done) = 0;
};

}  // namespace p402::store
