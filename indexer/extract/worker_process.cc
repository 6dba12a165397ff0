#include "indexer/extract/worker_process.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "indexer/extract/sandbox.h"
#include "indexer/extract/worker.h"

namespace sworn::indexer {
namespace {

constexpr std::chrono::milliseconds kReapPoll{2};
constexpr std::chrono::seconds kStartWithin{20};
constexpr int kAboveStandardStreams = 10;

void CheckSpawn(int result) {
  if (result != 0) throw SystemError(result, "cannot start an extraction worker", "");
}

class SpawnActions {
 public:
  SpawnActions() { CheckSpawn(::posix_spawn_file_actions_init(&actions_)); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }

  void Give(int fd, int as, int flags) {
    CheckSpawn(fd >= 0 ? ::posix_spawn_file_actions_adddup2(&actions_, fd, as)
                       : ::posix_spawn_file_actions_addopen(&actions_, as, "/dev/null", flags, 0));
  }
  void CloseFrom(int fd) { CheckSpawn(::posix_spawn_file_actions_addclosefrom_np(&actions_, fd)); }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// A fresh process group, so that Ctrl-C reaches the program alone, and no inherited signal state.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    CheckSpawn(::posix_spawnattr_init(&attributes_));
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    CheckSpawn(::posix_spawnattr_setsigmask(&attributes_, &none));
    CheckSpawn(::posix_spawnattr_setsigdefault(&attributes_, &all));
    CheckSpawn(::posix_spawnattr_setpgroup(&attributes_, 0));
    CheckSpawn(::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP));
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

// A copy above the numbers the child's streams will get, so that no dup2 overwrites a source.
FileDescriptor Lift(int fd) {
  if (fd < 0) return {};
  FileDescriptor lifted(::fcntl(fd, F_DUPFD_CLOEXEC, kAboveStandardStreams));
  if (!lifted.valid()) throw SystemError(errno, "cannot start an extraction worker", "");
  return lifted;
}

std::string DescribeEnd(int status) {
  if (WIFSIGNALED(status)) return "killed by signal " + std::to_string(WTERMSIG(status));
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    return "ended with status " + std::to_string(WEXITSTATUS(status));
  }
  return {};
}

FileDescriptor StartSocket(FileDescriptor& for_child) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw SystemError(errno, "cannot start an extraction worker", "");
  }
  for_child = FileDescriptor(ends[1]);
  return FileDescriptor(ends[0]);
}

ChildProcess StartWorker(const std::filesystem::path& program, FileDescriptor& socket) {
  FileDescriptor for_child;
  socket = StartSocket(for_child);
  ChildProcess::Streams streams;
  streams.socket = for_child.get();
  return ChildProcess(program, streams);
}

}  // namespace

ChildProcess::ChildProcess(const std::filesystem::path& program, const Streams& streams) {
  const FileDescriptor input = Lift(streams.input);
  const FileDescriptor output = Lift(streams.output);
  const FileDescriptor socket = Lift(streams.socket);
  SpawnActions actions;
  actions.Give(input.get(), STDIN_FILENO, O_RDONLY);
  actions.Give(output.get(), STDOUT_FILENO, O_WRONLY);
  // Parsers print what they stumble over, which is document text; sanitizers print findings.
  if (AddressSpaceCanBeLimited()) actions.Give(-1, STDERR_FILENO, O_WRONLY);
  actions.Give(socket.get(), kWorkerSocket, O_RDWR);
  actions.CloseFrom(kWorkerSocket + 1);
  const SpawnAttributes attributes;

  std::string name = program.native();
  std::string verb(kExtractWorkerVerb);
  std::array<char*, 3> arguments = {name.data(), verb.data(), nullptr};
  // A leak check would need ptrace, which the sandbox denies.
  std::array<std::string, 3> variables = {"LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin",
                                          "ASAN_OPTIONS=detect_leaks=0"};
  std::array<char*, 4> environment = {variables[0].data(), variables[1].data(), variables[2].data(),
                                      nullptr};
  CheckSpawn(::posix_spawn(&pid_, name.c_str(), actions.get(), attributes.get(), arguments.data(),
                           environment.data()));
}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    Kill();
    pid_ = std::exchange(other.pid_, -1);
  }
  return *this;
}

void ChildProcess::Kill() noexcept {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

std::string ChildProcess::Reap(const Wait& wait) {
  while (pid_ >= 0) {
    int status = 0;
    const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
    if (ended == pid_) {
      pid_ = -1;
      return DescribeEnd(status);
    }
    if (ended < 0 && errno != EINTR) break;
    const bool late = wait.deadline && std::chrono::steady_clock::now() >= *wait.deadline;
    if (late || (wait.cancel != nullptr && wait.cancel->cancelled())) {
      Kill();
      return "took too long";
    }
    std::this_thread::sleep_for(kReapPoll);
  }
  return "is gone";
}

WorkerProcess::WorkerProcess(const std::filesystem::path& program, const ExtractLimits& limits)
    : child_(StartWorker(program, socket_)) {
  WorkerRequest start;
  start.operation = WorkerOperation::kStart;
  start.extract.limits = limits;
  start.extract.limits.max_seconds = kStartWithin.count();
  const WorkerReply ready = Exchange(start, {}, nullptr);
  if (!ready.ok) {
    throw Error(ErrorCode::kInternal, "cannot start an extraction worker: " + ready.reason);
  }
}

WorkerReply WorkerProcess::Call(const WorkerRequest& request, std::string_view bytes,
                                const CancelFlag* cancel) {
  ++served_;
  return Exchange(request, bytes, cancel);
}

WorkerReply WorkerProcess::Exchange(const WorkerRequest& request, std::string_view bytes,
                                    const CancelFlag* cancel) {
  const ExtractLimits& limits = request.extract.limits;
  const Wait wait{std::chrono::steady_clock::now() + std::chrono::seconds(limits.max_seconds),
                  cancel};
  const std::string head = EncodeRequest(request);
  FrameStatus status = SendFrame(socket_.get(), {head, bytes, {}}, wait);
  Frame answer;
  if (status == FrameStatus::kOk) {
    status = ReceiveFrame(socket_.get(), ReplyBounds(), wait, answer);
  }
  if (status != FrameStatus::kOk) return Bury(status, limits);
  try {
    return DecodeReply(std::move(answer));
  } catch (const Error& error) {
    // Whoever sends such a thing is no longer our worker.
    WorkerReply reply = Bury(FrameStatus::kMalformed, limits);
    reply.reason = error.what();
    return reply;
  }
}

WorkerReply WorkerProcess::Bury(FrameStatus status, const ExtractLimits& limits) {
  socket_ = FileDescriptor();
  WorkerReply reply;
  switch (status) {
    case FrameStatus::kCancelled:
      child_.Kill();
      throw Error(ErrorCode::kCancelled, "cancelled");
    case FrameStatus::kTimedOut:
      child_.Kill();
      reply.code = ErrorCode::kTimeout;
      reply.reason = "took longer than " + std::to_string(limits.max_seconds) + " s (max_seconds)";
      return reply;
    case FrameStatus::kMalformed:
      child_.Kill();
      reply.code = ErrorCode::kIntegrity;
      reply.reason = "the worker's answer is not valid";
      return reply;
    case FrameStatus::kClosed:
    case FrameStatus::kOk:
      break;
  }
  constexpr std::chrono::seconds kDieWithin{5};
  const std::string end = child_.Reap({std::chrono::steady_clock::now() + kDieWithin, nullptr});
  reply.reason = "worker " + (end.empty() ? "ended without an answer" : end);
  return reply;
}

}  // namespace sworn::indexer
