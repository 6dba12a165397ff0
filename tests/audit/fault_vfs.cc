#include "tests/audit/fault_vfs.h"

#include <cstring>
#include <new>

#include <sqlite3.h>

namespace sworn::audit::test {
namespace {

// Tests arm faults and run SQLite in one thread.
FaultKind g_kind = FaultKind::kIoError;
int g_at = 0;
int g_calls = 0;

struct ShimFile {
  sqlite3_file base;
  sqlite3_file* real;
};

sqlite3_file* Real(sqlite3_file* file) { return reinterpret_cast<ShimFile*>(file)->real; }

bool FailsNow(bool is_write) {
  if (g_at == 0) return false;
  ++g_calls;
  if (g_kind == FaultKind::kDiskFull) return is_write && g_calls >= g_at;
  return g_calls == g_at;
}

int Write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  if (FailsNow(true)) {
    if (g_kind == FaultKind::kDiskFull) return SQLITE_FULL;
    if (g_kind == FaultKind::kShortWrite) {
      Real(file)->pMethods->xWrite(Real(file), bytes, count / 2, offset);
    }
    if (g_kind != FaultKind::kLostSync) return SQLITE_IOERR_WRITE;
  }
  return Real(file)->pMethods->xWrite(Real(file), bytes, count, offset);
}

int Sync(sqlite3_file* file, int flags) {
  if (FailsNow(false)) {
    if (g_kind == FaultKind::kLostSync) Real(file)->pMethods->xSync(Real(file), flags);
    return SQLITE_IOERR_FSYNC;
  }
  return Real(file)->pMethods->xSync(Real(file), flags);
}

const sqlite3_io_methods* Methods() {
  static const sqlite3_io_methods methods = [] {
    sqlite3_io_methods m{};
    m.iVersion = 3;
    m.xClose = [](sqlite3_file* f) {
      const int result = Real(f)->pMethods->xClose(Real(f));
      sqlite3_free(Real(f));
      return result;
    };
    m.xRead = [](sqlite3_file* f, void* bytes, int count, sqlite3_int64 offset) {
      return Real(f)->pMethods->xRead(Real(f), bytes, count, offset);
    };
    m.xWrite = Write;
    m.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
      return Real(f)->pMethods->xTruncate(Real(f), size);
    };
    m.xSync = Sync;
    m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
      return Real(f)->pMethods->xFileSize(Real(f), size);
    };
    m.xLock = [](sqlite3_file* f, int lock) { return Real(f)->pMethods->xLock(Real(f), lock); };
    m.xUnlock = [](sqlite3_file* f, int lock) { return Real(f)->pMethods->xUnlock(Real(f), lock); };
    m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
      return Real(f)->pMethods->xCheckReservedLock(Real(f), out);
    };
    m.xFileControl = [](sqlite3_file* f, int op, void* arg) {
      return Real(f)->pMethods->xFileControl(Real(f), op, arg);
    };
    m.xSectorSize = [](sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); };
    m.xDeviceCharacteristics = [](sqlite3_file* f) {
      return Real(f)->pMethods->xDeviceCharacteristics(Real(f));
    };
    m.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
      return Real(f)->pMethods->xShmMap(Real(f), page, size, extend, out);
    };
    m.xShmLock = [](sqlite3_file* f, int offset, int n, int flags) {
      return Real(f)->pMethods->xShmLock(Real(f), offset, n, flags);
    };
    m.xShmBarrier = [](sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); };
    m.xShmUnmap = [](sqlite3_file* f, int remove) {
      return Real(f)->pMethods->xShmUnmap(Real(f), remove);
    };
    m.xFetch = [](sqlite3_file* f, sqlite3_int64 offset, int count, void** out) {
      return Real(f)->pMethods->xFetch(Real(f), offset, count, out);
    };
    m.xUnfetch = [](sqlite3_file* f, sqlite3_int64 offset, void* page) {
      return Real(f)->pMethods->xUnfetch(Real(f), offset, page);
    };
    return m;
  }();
  return &methods;
}

sqlite3_vfs* g_real = nullptr;

int Open(sqlite3_vfs* /*vfs*/, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
  auto* shim = reinterpret_cast<ShimFile*>(file);
  shim->base.pMethods = nullptr;
  shim->real = static_cast<sqlite3_file*>(sqlite3_malloc(g_real->szOsFile));
  if (shim->real == nullptr) return SQLITE_NOMEM;
  std::memset(shim->real, 0, static_cast<std::size_t>(g_real->szOsFile));
  const int result = g_real->xOpen(g_real, name, shim->real, flags, out);
  if (shim->real->pMethods != nullptr) {
    shim->base.pMethods = Methods();
  } else {
    sqlite3_free(shim->real);
  }
  return result;
}

}  // namespace

void InstallFaultVfs() {
  if (g_real != nullptr) return;
  g_real = sqlite3_vfs_find(nullptr);
  static sqlite3_vfs shim = *g_real;
  shim.zName = "fault";
  shim.szOsFile = sizeof(ShimFile);
  shim.xOpen = Open;
  shim.pNext = nullptr;
  sqlite3_vfs_register(&shim, 1);
}

void ArmFault(FaultKind kind, int at) {
  g_kind = kind;
  g_at = at;
  g_calls = 0;
}

int FaultCalls() { return g_calls; }

}  // namespace sworn::audit::test
