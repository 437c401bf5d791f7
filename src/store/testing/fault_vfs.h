#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace p402::store::testing {

// A file layer for SQLite over the default one, that counts operations, fails one of them, and
// models a loss of power. It replaces fsync by bookkeeping: nothing is really synced.
//
// Every file that is opened through it remembers what was synced; what was written since is
// pending. Power loss puts each file back to what was synced, plus a random part of the pending
// sectors of 512 bytes: a disk may have written any of them, in any order.
//
// Threads:  safe to call concurrently.
// Lifetime: every connection is closed before it is destroyed.
class FaultVfs {
 public:
  enum class Fault { kIoError, kDiskFull, kPowerLoss };
  enum class Duration { kOnce, kFromThenOn };

  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  // For Options::vfs.
  const std::string& name() const;

  // The `nth` operation from now on (1: the next one) fails. After kPowerLoss every one does, and
  // nothing reaches the files. kDiskFull strikes only operations that need room: the first such one
  // from the nth on.
  void FailAt(int64_t nth, Fault fault, Duration duration = Duration::kOnce);
  // No operation fails any more. The pending writes stay pending.
  void Heal();
  // True if the fault has struck.
  bool has_struck() const;
  int64_t operations() const;

  // After a power loss: puts the files into a state that the disk may be in.
  // Requires: no connection is open.
  void RestorePower(uint64_t seed);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace p402::store::testing
