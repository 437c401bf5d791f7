#pragma once

#include <cstdint>
#include <filesystem>

#include "base/random.h"
#include "base/result.h"
#include "store/sqlite/database.h"

namespace p402::store::sqlite {

// In the header of the file ("P402"): never change.
inline constexpr int32_t kApplicationId = 0x50343032;
inline constexpr int32_t kSchemaVersion = 5;

using StoreId = Uuid;  // random, made with the database; ties the journal to it

// Looks at the first bytes of an existing file without SQLite: its magic, application id, schema
// version and length. An empty file passes.
// Errors: kCorrupt (not ours, or cut short), kConflict (a newer schema).
Status CheckHeader(const std::filesystem::path& file);

// Brings the schema from the file's version, or from nothing, to kSchemaVersion: each step in a
// transaction of its own.
// Errors: kConflict (newer), kCorrupt.
Status Migrate(Database& database, Random& random);
// The same up to `version`: for tests of a single step.
Status MigrateTo(Database& database, Random& random, int32_t version);

// A cheap look: the schema is exactly ours, and the log ends where its head says.
// Errors: kCorrupt.
Status Probe(Database& database);

// Every page and index (PRAGMA quick_check): slow on large databases.
// Errors: kCorrupt.
Status QuickCheck(Database& database);

Result<StoreId> ReadStoreId(Database& database);

}  // namespace p402::store::sqlite
