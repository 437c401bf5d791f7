#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "store/sqlite/files.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_store.h"
#include "store/testing/driver.h"
#include "store/testing/temp_folder.h"

namespace p402::store::sqlite {

// A data folder and what a store in it needs.
class SqliteTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Store>> TryOpen(Options options = {}) {
    if (options.folder.empty()) options.folder = folder();
    return Open(options, driver_.clock(), driver_.random(), log_, *metrics_);
  }
  std::unique_ptr<Store> OpenStore() {
    auto opened = TryOpen();
    EXPECT_TRUE(opened) << opened.error().detail;
    return opened ? *std::move(opened) : nullptr;
  }
  ErrorCode OpenError(Options options = {}) {
    auto opened = TryOpen(std::move(options));
    EXPECT_FALSE(opened);
    return opened ? ErrorCode::kInternal : opened.error().code;
  }
  // Runs SQL on the database behind the store's back.
  void Sql(const std::string& sql) {
    auto database = Database::Open({.file = DatabaseFile(folder())});
    ASSERT_TRUE(database) << database.error().detail;
    auto done = (*database)->Execute("PRAGMA foreign_keys=OFF;" + sql);
    ASSERT_TRUE(done) << done.error().detail;
  }
  int64_t SqlInt(const std::string& sql) {
    auto database = Database::Open({.file = DatabaseFile(folder())});
    EXPECT_TRUE(database);
    return (*database)->ReadInt(sql).value_or(-1);
  }
  bool HasLogged(std::string_view event) const {
    for (const auto& line : log_.Lines()) {
      if (line.starts_with(event)) return true;
    }
    return false;
  }
  const std::filesystem::path& folder() const { return folder_.path(); }

  store::testing::TempFolder folder_;
  store::testing::Driver driver_;
  p402::testing::MemoryLog log_;
  std::unique_ptr<Metrics> metrics_ = Metrics::Create();
};

}  // namespace p402::store::sqlite
