#include "conformance/store_test.h"
#include "store/sqlite/sqlite_store.h"
#include "store/testing/temp_folder.h"

namespace p402::conformance {
namespace {

class SqliteBackend final : public Backend {
 public:
  SqliteBackend(const Clock& clock, Random& random, const store::sqlite::MarkLogOptions& marks)
      : clock_(clock), random_(random), marks_(marks) {
    Open();
  }
  store::Store& store() override { return *store_; }
  bool Reopen() override {
    store_.reset();
    Open();
    return true;
  }
  bool has_backup() const override { return true; }

 private:
  void Open() {
    auto opened = store::sqlite::Open({.folder = folder_.path(), .marks = marks_}, clock_, random_,
                                      log_, *metrics_);
    ASSERT_TRUE(opened) << opened.error().detail;
    store_ = *std::move(opened);
  }

  const Clock& clock_;
  Random& random_;
  const store::sqlite::MarkLogOptions marks_;
  NullLog log_;
  std::unique_ptr<Metrics> metrics_ = Metrics::Create();
  store::testing::TempFolder folder_;
  std::unique_ptr<store::Store> store_;
};

Param Sqlite(std::string name, const store::sqlite::MarkLogOptions& marks) {
  return {.name = std::move(name), .make = [marks](const Clock& clock, Random& random) {
            return std::make_unique<SqliteBackend>(clock, random, marks);
          }};
}

P402_RUN_STORE_CONFORMANCE(Sqlite("Sqlite", {}));

// Its log of marks is always just being folded.
const Param kFolding =
    Sqlite("SqliteFolding",
           {.max_rows = 2, .max_bytes = 200, .max_marks = 3, .fold_marks = 2, .clear_rows = 1});
INSTANTIATE_TEST_SUITE_P(Folding, UsageConformance, ::testing::Values(kFolding), NameOf);
INSTANTIATE_TEST_SUITE_P(Folding, ListConformance, ::testing::Values(kFolding), NameOf);
INSTANTIATE_TEST_SUITE_P(Folding, ConcurrencyConformance, ::testing::Values(kFolding), NameOf);
INSTANTIATE_TEST_SUITE_P(Folding, ModelConformance, ::testing::Values(kFolding), NameOf);

}  // namespace
}  // namespace p402::conformance
