// Puts this program's temporary folders into memory where the system has such a file system: these
// tests make thousands of small logs and fail calls themselves, so a disk's fsync tells them
// nothing.
#include <cstdlib>

#include <unistd.h>

namespace {

const bool g_temp_in_memory =
    ::access("/dev/shm", W_OK | X_OK) == 0 && ::setenv("TMPDIR", "/dev/shm", 0) == 0;

}  // namespace
