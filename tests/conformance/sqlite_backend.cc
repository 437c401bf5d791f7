#include "conformance/store_test.h"
#include "store/sqlite/sqlite_store.h"
#include "store/testing/temp_folder.h"

namespace p402::conformance {
namespace {

class SqliteBackend final : public Backend {
 public:
  SqliteBackend(const Clock& clock, Random& random) : clock_(clock), random_(random) { Open(); }
  store::Store& store() override { return *store_; }
  bool Reopen() override {
    store_.reset();
    Open();
    return true;
  }
  bool has_backup() const override { return true; }

 private:
  void Open() {
    auto opened = store::sqlite::Open({.folder = folder_.path()}, clock_, random_, log_, *metrics_);
    ASSERT_TRUE(opened) << opened.error().detail;
    store_ = *std::move(opened);
  }

  const Clock& clock_;
  Random& random_;
  NullLog log_;
  std::unique_ptr<Metrics> metrics_ = Metrics::Create();
  store::testing::TempFolder folder_;
  std::unique_ptr<store::Store> store_;
};

const Param kSqlite{.name = "Sqlite", .make = [](const Clock& clock, Random& random) {
                      return std::make_unique<SqliteBackend>(clock, random);
                    }};

P402_RUN_STORE_CONFORMANCE(kSqlite);

}  // namespace
}  // namespace p402::conformance
