#include "store/testing/fault_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <random>
#include <vector>

#include "base/check.h"

namespace p402::store::testing {
namespace {

constexpr size_t kSectorBytes = 512;

struct Pending {
  bool is_truncate = false;
  size_t offset = 0;  // the new size of a truncation
  std::string bytes = {};
};

struct Tracked {
  std::string synced;
  std::vector<Pending> pending;
};

std::string ReadWhole(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void Apply(const Pending& pending, std::string& content) {
  if (pending.is_truncate) {
    content.resize(pending.offset);
    return;
  }
  const size_t end = pending.offset + pending.bytes.size();
  if (content.size() < end) content.resize(end);
  content.replace(pending.offset, pending.bytes.size(), pending.bytes);
}

// A file of ours: SQLite's part first, then where the default layer keeps its own.
struct FaultFile {
  sqlite3_file base;
  FaultVfs::Impl* vfs;
  std::string* path;
  sqlite3_file* real;
};

}  // namespace

struct FaultVfs::Impl {
  // True: let the operation through.
  int Check(bool needs_room) {
    std::lock_guard lock(mutex);
    ++count;
    if (is_dead) return SQLITE_IOERR;
    const bool strikes = fail_at > 0 && count >= fail_at &&
                         (fault != Fault::kDiskFull || needs_room) &&
                         (!struck || duration == Duration::kFromThenOn);
    if (!strikes) return SQLITE_OK;
    struck = true;
    is_dead = fault == Fault::kPowerLoss;
    return fault == Fault::kDiskFull ? SQLITE_FULL : SQLITE_IOERR;
  }

  void Track(const std::string& path) {
    std::lock_guard lock(mutex);
    if (!files.contains(path)) files[path].synced = ReadWhole(path);
  }
  void Remember(const std::string& path, Pending pending) {
    std::lock_guard lock(mutex);
    if (path.empty()) return;  // a temporary file
    files[path].pending.push_back(std::move(pending));
  }
  void Sync(const std::string& path) {
    std::lock_guard lock(mutex);
    Tracked& file = files[path];
    for (const auto& pending : file.pending) Apply(pending, file.synced);
    file.pending.clear();
  }

  std::mutex mutex;
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = nullptr;
  std::string name;
  int64_t count = 0;
  int64_t fail_at = 0;
  Fault fault = Fault::kIoError;
  Duration duration = Duration::kOnce;
  bool struck = false;
  bool is_dead = false;
  std::map<std::string, Tracked> files;
};

namespace {

FaultFile* Of(sqlite3_file* file) {
  return reinterpret_cast<FaultFile*>(file);
}

int Close(sqlite3_file* file) {
  const int code = Of(file)->real->pMethods->xClose(Of(file)->real);
  delete Of(file)->path;
  return code;
}

int Read(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
  if (const int code = Of(file)->vfs->Check(false)) return code;
  return Of(file)->real->pMethods->xRead(Of(file)->real, out, size, offset);
}

int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  if (const int code = Of(file)->vfs->Check(true)) return code;
  const int code = Of(file)->real->pMethods->xWrite(Of(file)->real, bytes, size, offset);
  if (code == SQLITE_OK) {
    Of(file)->vfs->Remember(
        *Of(file)->path, {.offset = static_cast<size_t>(offset),
                          .bytes = {static_cast<const char*>(bytes), static_cast<size_t>(size)}});
  }
  return code;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (const int code = Of(file)->vfs->Check(false)) return code;
  const int code = Of(file)->real->pMethods->xTruncate(Of(file)->real, size);
  if (code == SQLITE_OK) {
    Of(file)->vfs->Remember(*Of(file)->path,
                            {.is_truncate = true, .offset = static_cast<size_t>(size)});
  }
  return code;
}

int Sync(sqlite3_file* file, int) {
  if (const int code = Of(file)->vfs->Check(true))
    return code == SQLITE_FULL ? code : SQLITE_IOERR_FSYNC;
  Of(file)->vfs->Sync(*Of(file)->path);
  return SQLITE_OK;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  if (const int code = Of(file)->vfs->Check(false)) return code;
  return Of(file)->real->pMethods->xFileSize(Of(file)->real, size);
}

int Lock(sqlite3_file* file, int level) {
  return Of(file)->real->pMethods->xLock(Of(file)->real, level);
}

int Unlock(sqlite3_file* file, int level) {
  return Of(file)->real->pMethods->xUnlock(Of(file)->real, level);
}

int CheckReservedLock(sqlite3_file* file, int* out) {
  return Of(file)->real->pMethods->xCheckReservedLock(Of(file)->real, out);
}

int FileControl(sqlite3_file* file, int operation, void* argument) {
  return Of(file)->real->pMethods->xFileControl(Of(file)->real, operation, argument);
}

int SectorSize(sqlite3_file* file) {
  return Of(file)->real->pMethods->xSectorSize(Of(file)->real);
}

int DeviceCharacteristics(sqlite3_file* file) {
  return Of(file)->real->pMethods->xDeviceCharacteristics(Of(file)->real);
}

int ShmMap(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
  if (const int code = Of(file)->vfs->Check(extend != 0)) return code;
  return Of(file)->real->pMethods->xShmMap(Of(file)->real, region, size, extend, out);
}

int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  // Unlocking cannot fail: SQLite does not look.
  if ((flags & SQLITE_SHM_UNLOCK) == 0) {
    if (const int code = Of(file)->vfs->Check(false)) return code;
  }
  return Of(file)->real->pMethods->xShmLock(Of(file)->real, offset, count, flags);
}

void ShmBarrier(sqlite3_file* file) {
  Of(file)->real->pMethods->xShmBarrier(Of(file)->real);
}

int ShmUnmap(sqlite3_file* file, int should_delete) {
  return Of(file)->real->pMethods->xShmUnmap(Of(file)->real, should_delete);
}

// Version 2: shared memory, but no memory-mapped reading behind our back.
constexpr sqlite3_io_methods kMethods = {2,
                                         Close,
                                         Read,
                                         Write,
                                         Truncate,
                                         Sync,
                                         FileSize,
                                         Lock,
                                         Unlock,
                                         CheckReservedLock,
                                         FileControl,
                                         SectorSize,
                                         DeviceCharacteristics,
                                         ShmMap,
                                         ShmLock,
                                         ShmBarrier,
                                         ShmUnmap,
                                         nullptr,
                                         nullptr};

FaultVfs::Impl* Of(sqlite3_vfs* vfs) {
  return static_cast<FaultVfs::Impl*>(vfs->pAppData);
}

int Open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  if (Of(vfs)->Check((flags & SQLITE_OPEN_CREATE) != 0)) return SQLITE_CANTOPEN;
  FaultFile* ours = Of(file);
  ours->real = reinterpret_cast<sqlite3_file*>(ours + 1);
  sqlite3_vfs* real = Of(vfs)->real;
  const int code = real->xOpen(real, name, ours->real, flags, out_flags);
  if (code != SQLITE_OK) return code;
  ours->vfs = Of(vfs);
  ours->path = new std::string(name == nullptr ? "" : name);
  if (name != nullptr) Of(vfs)->Track(*ours->path);
  file->pMethods = &kMethods;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  if (Of(vfs)->Check(false)) return SQLITE_IOERR_DELETE;
  const int code = Of(vfs)->real->xDelete(Of(vfs)->real, name, sync_folder);
  if (code == SQLITE_OK) {
    std::lock_guard lock(Of(vfs)->mutex);
    Of(vfs)->files.erase(name);
  }
  return code;
}

int Access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
  if (Of(vfs)->Check(false)) return SQLITE_IOERR_ACCESS;
  return Of(vfs)->real->xAccess(Of(vfs)->real, name, flags, out);
}

// True if a disk wrote this piece before the power went.
class Disk {
 public:
  explicit Disk(uint64_t seed) : engine_(seed) {
    // Often all or nothing, which are the states that matter most.
    constexpr double kChances[] = {0.0, 0.0, 0.2, 0.5, 0.8, 1.0};
    chance_ = kChances[engine_() % std::size(kChances)];
  }
  bool HasWritten() { return std::bernoulli_distribution(chance_)(engine_); }

 private:
  std::mt19937_64 engine_;
  double chance_;
};

std::string AfterPowerLoss(const Tracked& file, Disk& disk) {
  std::string content = file.synced;
  for (const auto& pending : file.pending) {
    if (pending.is_truncate) {
      if (disk.HasWritten()) Apply(pending, content);
      continue;
    }
    for (size_t at = 0; at < pending.bytes.size();) {
      const size_t offset = pending.offset + at;
      const size_t size = std::min(kSectorBytes - offset % kSectorBytes, pending.bytes.size() - at);
      if (disk.HasWritten()) {
        Apply({.offset = offset, .bytes = pending.bytes.substr(at, size)}, content);
      }
      at += size;
    }
  }
  return content;
}

}  // namespace

FaultVfs::FaultVfs() : impl_(std::make_unique<Impl>()) {
  static std::atomic<int> number = 0;
  impl_->name = "p402-fault-" + std::to_string(++number);
  impl_->real = sqlite3_vfs_find(nullptr);
  P402_CHECK(impl_->real != nullptr);
  impl_->vfs = *impl_->real;
  impl_->vfs.szOsFile = static_cast<int>(sizeof(FaultFile)) + impl_->real->szOsFile;
  impl_->vfs.pNext = nullptr;
  impl_->vfs.zName = impl_->name.c_str();
  impl_->vfs.pAppData = impl_.get();
  impl_->vfs.xOpen = Open;
  impl_->vfs.xDelete = Delete;
  impl_->vfs.xAccess = Access;
  P402_CHECK(sqlite3_vfs_register(&impl_->vfs, 0) == SQLITE_OK);
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(&impl_->vfs);
}

const std::string& FaultVfs::name() const {
  return impl_->name;
}

void FaultVfs::FailAt(int64_t nth, Fault fault, Duration duration) {
  std::lock_guard lock(impl_->mutex);
  impl_->fail_at = impl_->count + nth;
  impl_->fault = fault;
  impl_->duration = duration;
  impl_->struck = false;
}

void FaultVfs::Heal() {
  std::lock_guard lock(impl_->mutex);
  impl_->fail_at = 0;
  impl_->is_dead = false;
}

bool FaultVfs::has_struck() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->struck;
}

int64_t FaultVfs::operations() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->count;
}

void FaultVfs::RestorePower(uint64_t seed) {
  std::lock_guard lock(impl_->mutex);
  Disk disk(seed);
  for (const auto& [path, file] : impl_->files) {
    std::ofstream stream(path, std::ios::binary | std::ios::trunc);
    const std::string content = AfterPowerLoss(file, disk);
    stream.write(content.data(), static_cast<std::streamsize>(content.size()));
    P402_CHECK(stream.good());
    // Shared memory does not outlive the machine.
    std::remove((path + "-shm").c_str());
  }
  impl_->files.clear();
  impl_->fail_at = 0;
  impl_->is_dead = false;
  impl_->struck = false;
}

}  // namespace p402::store::testing
