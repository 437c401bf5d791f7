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

}  // namespace p402::store::sqlite
