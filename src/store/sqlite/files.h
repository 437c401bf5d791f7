#pragma once

#include <filesystem>

// The names inside a data folder.
namespace p402::store::sqlite {

inline std::filesystem::path DatabaseFile(const std::filesystem::path& folder) {
  return folder / "p402.db";
}
inline std::filesystem::path WalOf(const std::filesystem::path& database) {
  return database.string() + "-wal";
}
inline std::filesystem::path ShmOf(const std::filesystem::path& database) {
  return database.string() + "-shm";
}

}  // namespace p402::store::sqlite
