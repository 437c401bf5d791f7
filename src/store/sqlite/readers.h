#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "store/sqlite/database.h"

namespace p402::store::sqlite {

using Reading = std::move_only_function<void(Database&)>;

// Threads with a connection each, that run readings in the order they came.
// Threads:  Add from any thread.
// Lifetime: the destructor finishes what was added.
class Readers {
 public:
  // One thread per connection; `name` is what the operating system shows.
  Readers(std::string name, std::vector<std::unique_ptr<Database>> databases);
  ~Readers();
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  void Add(Reading reading);

 private:
  void Run(Database& database);

  std::vector<std::unique_ptr<Database>> databases_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<Reading> waiting_;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace p402::store::sqlite
