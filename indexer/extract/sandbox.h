// What a process that reads foreign bytes may still do: nearly nothing.
#pragma once

#include <string>

#include "indexer/extract/limits.h"

namespace sworn::indexer {

/// Which walls stand on this machine; `sworn doctor` shows it.
struct SandboxReport {
  bool seccomp = false;       // system call filter of this program's libseccomp and the kernel
  int landlock_abi = 0;       // 0: the kernel has no Landlock, the other walls still stand
  bool memory_limit = false;  // false in a sanitizer build, which needs the address space
  std::string description;    // one line
};
SandboxReport DescribeSandbox();

/// Puts the calling process, for good, behind all walls: no new privileges, death with its parent,
/// rlimits (address space, no core file, no file growth, few descriptors), Landlock (read only
/// below /usr, /etc and /lib) and a list of permitted system calls without sockets, exec, fork,
/// ptrace and opening for writing. Throws kInternal if anything but Landlock is not to be had.
void EnterWorkerSandbox(const ExtractLimits& limits);

/// The same for a child that becomes one of Debian's converters: `program` (absolute) may be
/// executed once more through the very pointer that is passed here, and Landlock lets /usr and
/// that program be executed.
void EnterToolSandbox(const ExtractLimits& limits, const char* program);

/// Sets the processor time left to this process and an alarm a little later, so that even an
/// orphan ends. Called before each file.
void LimitNextFile(const ExtractLimits& limits);

/// False under the address and thread sanitizers, whose shadow memory no limit can hold.
constexpr bool AddressSpaceCanBeLimited() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return false;
#else
  return true;
#endif
#else
  return true;
#endif
}

}  // namespace sworn::indexer
