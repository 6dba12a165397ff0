#include "tests/crash/process.h"

#include <array>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"

extern char** environ;

namespace sworn::test {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
    read = FileDescriptor(ends[0]);
    write = FileDescriptor(ends[1]);
  }
};

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

pid_t Spawn(const Command& command, const Pipe& out, const Pipe& err) {
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment = command.environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    environment.emplace_back(*variable);
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, arguments[0].c_str(), &actions, nullptr,
                                  Pointers(arguments).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + arguments[0]);
  return child;
}

// False at the end of the stream.
bool ReadSome(int fd, std::string& into) {
  std::array<char, 1 << 14> buffer;
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  if (got > 0) into.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0;
}

// What poll(2) takes: milliseconds from now, never negative.
int MillisUntil(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return left.count() < 0 ? 0 : static_cast<int>(left.count());
}

}  // namespace

Finished RunProcess(const Command& command) {
  Pipe out;
  Pipe err;
  const auto start = Clock::now();
  const pid_t child = Spawn(command, out, err);
  out.write = FileDescriptor();
  err.write = FileDescriptor();
  bool armed = command.kill_at.has_value();
  const auto deadline = start + command.kill_at.value_or(std::chrono::microseconds(0));

  Finished finished;
  std::array<pollfd, 2> streams{pollfd{out.read.get(), POLLIN, 0},
                                pollfd{err.read.get(), POLLIN, 0}};
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    const int ready = ::poll(streams.data(), streams.size(), armed ? MillisUntil(deadline) : -1);
    if (ready == 0 && armed) {
      ::kill(child, SIGKILL);
      armed = false;
      continue;
    }
    if (streams[0].revents != 0 && !ReadSome(streams[0].fd, finished.out)) streams[0].fd = -1;
    if (streams[1].revents != 0 && !ReadSome(streams[1].fd, finished.err)) streams[1].fd = -1;
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  finished.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  finished.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return finished;
}

}  // namespace sworn::test
