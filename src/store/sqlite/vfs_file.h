#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace p402::store::sqlite {

// A file through SQLite's file layer, so that the journal meets the same faults as the database in
// tests, and the same system calls in production.
class VfsFile {
 public:
  // Makes the file with mode 0600 if it is missing.
  // Errors: kIo.
  static Result<std::unique_ptr<VfsFile>> Open(const std::filesystem::path& path,
                                               const std::string& vfs);
  ~VfsFile();
  VfsFile(const VfsFile&) = delete;
  VfsFile& operator=(const VfsFile&) = delete;

  Result<uint64_t> Size();
  Result<std::string> Read(uint64_t offset, size_t bytes);
  Status Write(uint64_t offset, std::string_view bytes);
  Status Truncate(uint64_t size);
  // As fdatasync.
  Status Sync();

 private:
  VfsFile() = default;
  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory_.get()); }

  std::string path_;
  sqlite3_filename name_ = nullptr;
  std::unique_ptr<std::max_align_t[]> memory_;
};

// Makes an empty file with mode 0600, or narrows the mode of one that exists.
// Errors: kIo.
Status MakePrivateFile(const std::filesystem::path& path);

}  // namespace p402::store::sqlite
