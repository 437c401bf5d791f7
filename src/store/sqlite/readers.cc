#include "store/sqlite/readers.h"

#include <pthread.h>

namespace p402::store::sqlite {

Readers::Readers(std::string name, std::vector<std::unique_ptr<Database>> databases)
    : databases_(std::move(databases)) {
  for (auto& database : databases_) {
    threads_.emplace_back([this, &database] { Run(*database); });
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
}

Readers::~Readers() {
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void Readers::Add(Reading reading) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(reading));
  }
  wake_.notify_one();
}

void Readers::Run(Database& database) {
  for (;;) {
    Reading reading;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      reading = std::move(waiting_.front());
      waiting_.pop_front();
    }
    reading(database);
  }
}

}  // namespace p402::store::sqlite
