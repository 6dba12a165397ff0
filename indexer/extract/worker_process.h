// The outside of an extraction worker: starting it, asking it, ending it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <sys/types.h>

#include "core/cancel.h"
#include "core/file.h"
#include "indexer/extract/wire.h"

namespace sworn::indexer {

/// A child process started as `program __extract-worker`, killed and reaped on destruction.
/// Movable; one thread at a time. It dies with the thread that started it, too.
class ChildProcess {
 public:
  /// Descriptors of the child; what is -1 becomes /dev/null.
  struct Streams {
    int input = -1;
    int output = -1;
    int socket = -1;
  };

  /// Throws SystemError if the program cannot be started.
  ChildProcess(const std::filesystem::path& program, const Streams& streams);
  ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() { Kill(); }

  /// How it ended: "" after exit status 0, else "killed by signal 11" or "ended with status 2".
  /// Waits until `wait` says stop and kills it then: "took too long".
  std::string Reap(const Wait& wait);

  void Kill() noexcept;

 private:
  pid_t pid_ = -1;
};

/// One persistent worker. Movable; one thread at a time.
class WorkerProcess {
 public:
  /// Starts the program and has it close its sandbox. Throws kInternal if either fails.
  WorkerProcess(const std::filesystem::path& program, const ExtractLimits& limits);

  /// Sends the request, waits for the reply at most limits.max_seconds. Every way in which a worker
  /// can die or lie is a reply with a reason, and the worker is no longer alive then. Throws
  /// kCancelled when the flag is set.
  WorkerReply Call(const WorkerRequest& request, std::string_view bytes, const CancelFlag* cancel);

  [[nodiscard]] bool alive() const { return socket_.valid(); }
  [[nodiscard]] std::uint32_t served() const { return served_; }

 private:
  WorkerReply Exchange(const WorkerRequest& request, std::string_view bytes,
                       const CancelFlag* cancel);
  WorkerReply Bury(FrameStatus status, const ExtractLimits& limits);

  FileDescriptor socket_;  // before child_, whose constructor makes it
  ChildProcess child_;
  std::uint32_t served_ = 0;
};

}  // namespace sworn::indexer
