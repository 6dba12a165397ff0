// SQLite's file layer with a fault on demand: the k-th write or sync of this process fails.
#pragma once

#include <string>

namespace sworn::audit::test {

enum class FaultKind {
  kIoError,     // a write or sync fails with EIO, nothing is written
  kDiskFull,    // a write fails with ENOSPC
  kShortWrite,  // half of a write reaches the file, then EIO
  kLostSync,    // a sync does its work, but reports failure
};

/// Makes a shim over the default VFS the default one of this process; once.
void InstallFaultVfs();
/// The `at`-th write or sync from now on (1-based) fails, and for `kDiskFull` all later writes too;
/// 0 turns faults off.
void ArmFault(FaultKind kind, int at);
/// Writes and syncs since ArmFault.
int FaultCalls();

}  // namespace sworn::audit::test
