// Preloaded into sworn by kill_loop: kills the process right after its K-th durable system call,
// where K is the environment variable SWORN_KILL_AFTER. Extraction workers make no such call.
#include <atomic>
#include <cstdlib>

#include <dlfcn.h>
#include <signal.h>
#include <unistd.h>

namespace {

void Count() {
  static std::atomic<long> calls{0};
  const char* limit = std::getenv("SWORN_KILL_AFTER");
  if (limit != nullptr && calls.fetch_add(1) + 1 == std::atol(limit)) ::kill(::getpid(), SIGKILL);
}

template <typename Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int fsync(int fd) {
  static auto* const real = Real<int(int)>("fsync");
  const int result = real(fd);
  Count();
  return result;
}

int fdatasync(int fd) {
  static auto* const real = Real<int(int)>("fdatasync");
  const int result = real(fd);
  Count();
  return result;
}

int rename(const char* from, const char* to) noexcept {
  static auto* const real = Real<int(const char*, const char*)>("rename");
  const int result = real(from, to);
  Count();
  return result;
}
}
