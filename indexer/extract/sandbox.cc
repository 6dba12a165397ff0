#include "indexer/extract/sandbox.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>

#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"

namespace sworn::indexer {
namespace {

constexpr rlim_t kMaxOpenFiles = 64;
constexpr rlim_t kSanitizerOpenFiles = 256;
constexpr unsigned kOrphanGraceSeconds = 10;

// Rights of Landlock's third version, which older kernel headers do not name.
constexpr std::uint64_t kLandlockTruncate = 1ULL << 14U;
constexpr std::uint64_t kLandlockReads = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

[[noreturn]] void Fail(const char* what) {
  throw SystemError(errno, std::string("the sandbox cannot ") + what, "");
}

void Limit(int resource, rlim_t value) {
  const rlimit limit{value, value};
  if (::setrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) Fail("set a limit");
}

void SetLimits(const ExtractLimits& limits) {
  if (AddressSpaceCanBeLimited()) Limit(RLIMIT_AS, limits.max_worker_memory_bytes);
  Limit(RLIMIT_CORE, 0);
  Limit(RLIMIT_FSIZE, 0);
  Limit(RLIMIT_NOFILE, AddressSpaceCanBeLimited() ? kMaxOpenFiles : kSanitizerOpenFiles);
}

void DropPrivileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) Fail("give up privileges");
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) Fail("die with its parent");
}

int LandlockAbi() {
  const long abi =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return abi < 0 ? 0 : static_cast<int>(abi);
}

// A path that is not there needs no rule.
void AllowBelow(int ruleset, const char* path, std::uint64_t access) {
  const FileDescriptor fd(::open(path, O_PATH | O_CLOEXEC));
  if (!fd.valid()) return;
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) return;
  if (!S_ISDIR(facts.st_mode)) access &= ~std::uint64_t{LANDLOCK_ACCESS_FS_READ_DIR};
  const landlock_path_beneath_attr rule{access, fd.get()};
  if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
    Fail("restrict the file system");
  }
}

void RestrictFileSystem(const char* program) {
  const int abi = LandlockAbi();
  if (abi == 0) return;
  std::uint64_t handled = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1U) - 1;  // all of the first version
  if (abi >= 2) handled |= LANDLOCK_ACCESS_FS_REFER;
  if (abi >= 3) handled |= kLandlockTruncate;
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = handled;
  const FileDescriptor ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0)));
  if (!ruleset.valid()) Fail("restrict the file system");
  const std::uint64_t execute = program != nullptr ? LANDLOCK_ACCESS_FS_EXECUTE : 0;
  for (const char* folder : {"/usr", "/lib", "/lib64", "/bin"}) {
    AllowBelow(ruleset.get(), folder, kLandlockReads | execute);
  }
  AllowBelow(ruleset.get(), "/etc", kLandlockReads);
  AllowBelow(ruleset.get(), "/dev/null", LANDLOCK_ACCESS_FS_READ_FILE);
  AllowBelow(ruleset.get(), "/dev/urandom", LANDLOCK_ACCESS_FS_READ_FILE);
  // Sanitizers read their own memory map to print where a fault was.
  if (!AddressSpaceCanBeLimited()) AllowBelow(ruleset.get(), "/proc", kLandlockReads);
  if (program != nullptr)
    AllowBelow(ruleset.get(), program, LANDLOCK_ACCESS_FS_READ_FILE | execute);
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    Fail("restrict the file system");
  }
}

// What allocating, reading files, threads and ending need; everything else gives EPERM.
constexpr auto kPermitted = std::to_array<int>({
    SCMP_SYS(access),
    SCMP_SYS(alarm),
    SCMP_SYS(arch_prctl),
    SCMP_SYS(brk),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(close),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(fadvise64),
    SCMP_SYS(fcntl),
    SCMP_SYS(fstat),
    SCMP_SYS(fstatfs),
    SCMP_SYS(futex),
    SCMP_SYS(getcwd),
    SCMP_SYS(getdents64),
    SCMP_SYS(getegid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getgroups),
    SCMP_SYS(getpgrp),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(getrandom),
    SCMP_SYS(getrlimit),
    SCMP_SYS(getrusage),
    SCMP_SYS(gettid),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getuid),
    SCMP_SYS(lseek),
    SCMP_SYS(lstat),
    SCMP_SYS(madvise),
    SCMP_SYS(membarrier),
    SCMP_SYS(mincore),
    SCMP_SYS(mlock),
    SCMP_SYS(mmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(mremap),
    SCMP_SYS(munlock),
    SCMP_SYS(munmap),
    SCMP_SYS(nanosleep),
    SCMP_SYS(newfstatat),
    SCMP_SYS(pipe),
    SCMP_SYS(pipe2),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(prlimit64),
    SCMP_SYS(pselect6),
    SCMP_SYS(read),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(readv),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rseq),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigpending),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_getscheduler),
    SCMP_SYS(sched_yield),
    SCMP_SYS(select),
    SCMP_SYS(sendto),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(setitimer),
    SCMP_SYS(setrlimit),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(stat),
    SCMP_SYS(statfs),
    SCMP_SYS(statx),
    SCMP_SYS(sysinfo),
    SCMP_SYS(time),
    SCMP_SYS(times),
    SCMP_SYS(umask),
    SCMP_SYS(uname),
    SCMP_SYS(write),
    SCMP_SYS(writev),
});

// libseccomp's filter while it is built.
class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM))) {
    if (context_ == nullptr) Fail("make a system call filter");
  }

  void Permit(int call) { Check(seccomp_rule_add(context_.get(), SCMP_ACT_ALLOW, call, 0)); }
  void PermitIf(int call, scmp_arg_cmp condition) {
    Check(seccomp_rule_add_array(context_.get(), SCMP_ACT_ALLOW, call, 1, &condition));
  }
  void AnswerWith(int errno_value, int call) {
    Check(seccomp_rule_add(context_.get(), SCMP_ACT_ERRNO(static_cast<unsigned>(errno_value)), call,
                           0));
  }
  void Load() { Check(seccomp_load(context_.get())); }

 private:
  struct Releaser {
    void operator()(void* context) const { seccomp_release(context); }
  };

  static void Check(int result) {
    if (result == 0) return;
    errno = -result;
    Fail("filter system calls");
  }

  std::unique_ptr<void, Releaser> context_;
};

scmp_arg_cmp MaskedEqual(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

void FilterSystemCalls(const char* program) {
  Filter filter;
  for (const int call : kPermitted) filter.Permit(call);
  // Reading only. __O_TMPFILE needs an access mode for writing, so it is covered.
  constexpr std::uint64_t kWriting = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
  filter.PermitIf(SCMP_SYS(open), MaskedEqual(1, kWriting, O_RDONLY));
  filter.PermitIf(SCMP_SYS(openat), MaskedEqual(2, kWriting, O_RDONLY));
  // Threads but no processes. clone3 hides its flags in memory: libc falls back to clone.
  filter.PermitIf(SCMP_SYS(clone), MaskedEqual(0, CLONE_THREAD, CLONE_THREAD));
  filter.AnswerWith(ENOSYS, SCMP_SYS(clone3));
  // abort() must be able to end this process, and only this one.
  filter.PermitIf(SCMP_SYS(tgkill), {0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid()), 0});
  for (const std::uint64_t option : {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA}) {
    filter.PermitIf(SCMP_SYS(prctl), {0, SCMP_CMP_EQ, option, 0});
  }
  if (program != nullptr) {
    filter.PermitIf(SCMP_SYS(execve),
                    {0, SCMP_CMP_EQ, reinterpret_cast<std::uintptr_t>(program), 0});
    // A converter may shut itself in further (ctags does): filters only ever take away.
    filter.Permit(SCMP_SYS(seccomp));
    for (const std::uint64_t option : {PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP}) {
      filter.PermitIf(SCMP_SYS(prctl), {0, SCMP_CMP_EQ, option, 0});
    }
  }
  filter.Load();
}

void Enter(const ExtractLimits& limits, const char* program) {
  DropPrivileges();
  SetLimits(limits);
  RestrictFileSystem(program);
  FilterSystemCalls(program);
}

}  // namespace

void EnterWorkerSandbox(const ExtractLimits& limits) { Enter(limits, nullptr); }

void EnterToolSandbox(const ExtractLimits& limits, const char* program) { Enter(limits, program); }

void LimitNextFile(const ExtractLimits& limits) {
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) != 0) Fail("ask for its processor time");
  const auto seconds = static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec);
  const rlimit limit{seconds + limits.max_seconds + 1, RLIM_INFINITY};
  if (::setrlimit(RLIMIT_CPU, &limit) != 0) Fail("limit its processor time");
  ::alarm(limits.max_seconds + kOrphanGraceSeconds);
}

SandboxReport DescribeSandbox() {
  SandboxReport report;
  report.seccomp = seccomp_api_get() > 0;
  report.landlock_abi = LandlockAbi();
  report.memory_limit = AddressSpaceCanBeLimited();
  report.description =
      std::string(report.seccomp ? "seccomp" : "no seccomp") + ", " +
      (report.landlock_abi > 0 ? "Landlock ABI " + std::to_string(report.landlock_abi)
                               : std::string("no Landlock in this kernel")) +
      (report.memory_limit ? ", memory limit" : ", no memory limit (sanitizer)");
  return report;
}

}  // namespace sworn::indexer
