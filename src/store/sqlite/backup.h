#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "store/sqlite/database.h"

namespace p402::store::sqlite {

// Copies one snapshot of `source` to the new file `target` (mode 0600, fsynced, no write-ahead log
// beside it). Writers go on meanwhile.
// Errors: kConflict if the file exists; after an error it is gone.
Status CopyDatabase(Database& source, const std::filesystem::path& target, const std::string& vfs);

// Removes what a killed process left of backups for clients (kBackupPrefix) in `folder`: regular
// files of exactly such a name, and what SQLite keeps beside them. Returns how many.
// Requires: the folder's lock.
// Errors: kIo.
Result<int> RemoveLeftBackups(const std::filesystem::path& folder);

}  // namespace p402::store::sqlite
