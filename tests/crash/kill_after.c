/* Preloaded into sworn by kill_loop: kills the process right after its K-th durable system call, where
 * K is the environment variable SWORN_KILL_AFTER. Extraction workers make no such call. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static void Count(void) {
  static atomic_long calls;
  const char* limit = getenv("SWORN_KILL_AFTER");
  if (limit != NULL && atomic_fetch_add(&calls, 1) + 1 == atol(limit)) kill(getpid(), SIGKILL);
}

int fsync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  const int result = real(fd);
  Count();
  return result;
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  const int result = real(fd);
  Count();
  return result;
}

int rename(const char* from, const char* to) {
  static int (*real)(const char*, const char*);
  if (real == NULL) real = (int (*)(const char*, const char*))dlsym(RTLD_NEXT, "rename");
  const int result = real(from, to);
  Count();
  return result;
}
