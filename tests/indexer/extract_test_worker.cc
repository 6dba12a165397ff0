// The program that the extraction tests start as a worker. Files whose text is one of the words
// below make it misbehave from inside its sandbox; all others are extracted as usual.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "indexer/extract/text_builder.h"
#include "indexer/extract/wire.h"
#include "indexer/extract/worker.h"

namespace sworn::indexer {
namespace {

Extraction Say(std::string_view what) {
  TextBuilder builder("test/1");
  builder.AddBlock(BlockKind::kParagraph, what);
  return {std::move(builder).Finish(), {}};
}

Extraction SayWhether(bool succeeded) { return Say(succeeded ? "allowed" : "blocked"); }

Extraction Hog() {
  std::vector<std::string> kept;
  while (true) kept.emplace_back(std::size_t{64} << 20U, 'x');
}

Extraction Hang() {
  while (::getpid() > 0) {
  }
  return {};
}

// Tries what the sandbox must refuse; "allowed" if any way of it worked.
bool TrySocket() { return ::socket(AF_INET, SOCK_STREAM, 0) >= 0; }

bool TryExecute() {
  std::string program = "/bin/true";
  std::array<char*, 2> arguments = {program.data(), nullptr};
  ::execv(program.c_str(), arguments.data());
  return errno != EPERM;
}

bool TryFork() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  return child > 0;
}

bool TryWriting() {
  const bool created = ::open("/tmp/sworn-sandbox-escape", O_CREAT | O_WRONLY, 0600) >= 0;
  const bool opened = ::open("/dev/null", O_RDWR) >= 0;
  const bool made = ::mkdir("/tmp/sworn-sandbox-folder", 0700) == 0;
  return created || opened || made || ::unlink("/tmp/sworn-sandbox-nothing") == 0;
}

bool TryOtherWays() {
  const bool traced = ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0;
  const bool signalled = ::kill(::getppid(), 0) == 0;
  const bool in_memory = ::syscall(SYS_memfd_create, "x", 0U) >= 0;
  const bool ring = ::syscall(SYS_io_uring_setup, 1U, nullptr) >= 0 || errno == EFAULT;
  return traced || signalled || in_memory || ring;
}

Extraction Garbage() {
  const std::string noise(4096, '\x5a');
  (void)!::write(kWorkerSocket, noise.data(), noise.size());
  return Say("never seen");
}

// A well-framed reply whose block reaches beyond its text.
Extraction Lie() {
  Extraction extraction = Say("short");
  extraction.text.blocks[0].range.end = 1'000'000;
  return extraction;
}

Extraction Misbehave(std::string_view bytes, const ExtractRequest& request) {
  if (bytes == "crash") (void)::raise(SIGSEGV);
  if (bytes == "abort") std::abort();
  if (bytes == "exit") ::_exit(7);
  if (bytes == "hang") return Hang();
  if (bytes == "hog") return Hog();
  if (bytes == "throw") throw std::runtime_error("secret words of the document");
  if (bytes == "garbage") return Garbage();
  if (bytes == "lie") return Lie();
  if (bytes == "socket") return SayWhether(TrySocket());
  if (bytes == "execute") return SayWhether(TryExecute());
  if (bytes == "fork") return SayWhether(TryFork());
  if (bytes == "write") return SayWhether(TryWriting());
  if (bytes == "other") return SayWhether(TryOtherWays());
  if (bytes == "read /root") return SayWhether(::open("/root", O_RDONLY) >= 0);
  if (bytes == "read /usr") return SayWhether(::open("/usr/bin", O_RDONLY) >= 0);
  if (bytes == "pid") return Say(std::to_string(::getpid()));
  return ExtractBytes(bytes, request);
}

}  // namespace
}  // namespace sworn::indexer

int main(int argc, char** argv) {
  if (argc != 2 || argv[1] != sworn::indexer::kExtractWorkerVerb) return 64;
  return sworn::indexer::ServeExtraction(sworn::indexer::kWorkerSocket, &sworn::indexer::Misbehave);
}
