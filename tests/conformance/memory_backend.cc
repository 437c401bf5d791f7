#include "conformance/store_test.h"
#include "store/memory/memory_store.h"

namespace p402::conformance {
namespace {

class MemoryBackend final : public Backend {
 public:
  MemoryBackend(const Clock& clock, Random& random)
      : store_(store::memory::Create(clock, random)) {}
  store::Store& store() override { return *store_; }
  bool Reopen() override {
    store_.reset();
    return false;
  }
  bool has_backup() const override { return false; }

 private:
  std::unique_ptr<store::Store> store_;
};

const Param kMemory{.name = "Memory", .make = [](const Clock& clock, Random& random) {
                      return std::make_unique<MemoryBackend>(clock, random);
                    }};

P402_RUN_STORE_CONFORMANCE(kMemory);

}  // namespace
}  // namespace p402::conformance
