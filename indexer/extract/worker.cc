#include "indexer/extract/worker.h"

#include <array>
#include <csignal>
#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "indexer/extract/sandbox.h"
#include "indexer/extract/wire.h"

namespace sworn::indexer {
namespace {

constexpr int kStatusBadRequest = 2;
constexpr int kStatusToolNotStarted = 127;

WorkerReply Failure(ErrorCode code, std::string reason) {
  WorkerReply reply;
  reply.code = code;
  reply.reason = std::move(reason);
  return reply;
}

WorkerReply Serve(const WorkerRequest& request, std::string_view bytes, ExtractFunction extract) {
  WorkerReply reply;
  reply.ok = true;
  switch (request.operation) {
    case WorkerOperation::kExtract:
      reply.extraction = extract(bytes, request.extract);
      return reply;
    case WorkerOperation::kRenderPage:
      reply.image = RenderPage(bytes, request.extract, request.page, request.dpi);
      return reply;
    case WorkerOperation::kStart:
    case WorkerOperation::kRunTool:
      break;
  }
  return Failure(ErrorCode::kIntegrity, "a worker starts once");
}

// What a parser throws that is none of ours may quote the document, so its text stays here.
Frame ServeSafely(const WorkerRequest& request, std::string_view bytes, ExtractFunction extract) {
  try {
    return EncodeReply(Serve(request, bytes, extract));
  } catch (const Error& error) {
    return EncodeReply(Failure(error.code(), error.what()));
  } catch (const std::bad_alloc&) {
    return EncodeReply(
        Failure(ErrorCode::kTooLarge, "ran out of memory (max_worker_memory_bytes)"));
  } catch (const std::exception&) {
    return EncodeReply(Failure(ErrorCode::kIntegrity, "damaged: its parser gave up"));
  }
}

// Replaces this process by a converter; the caller gave it stdin and stdout.
[[noreturn]] void BecomeTool(int fd, WorkerRequest request) {
  std::vector<char*> arguments;
  for (std::string& argument : request.arguments) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  std::array<std::string, 4> variables = {"LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin",
                                          "HOME=/nonexistent", "OMP_THREAD_LIMIT=1"};
  std::array<char*, 5> environment = {variables[0].data(), variables[1].data(), variables[2].data(),
                                      variables[3].data(), nullptr};
  if (request.arguments.empty() || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    ::_exit(kStatusToolNotStarted);
  }
  EnterToolSandbox(request.extract.limits, arguments[0]);
  LimitNextFile(request.extract.limits);
  ::execve(arguments[0], arguments.data(), environment.data());
  ::_exit(kStatusToolNotStarted);
}

int ServeUntilClosed(int fd, ExtractFunction extract) {
  bool started = false;
  while (true) {
    Frame frame;
    const FrameStatus received = ReceiveFrame(fd, RequestBounds(), {}, frame);
    if (received == FrameStatus::kClosed) return 0;
    if (received != FrameStatus::kOk) return kStatusBadRequest;
    WorkerRequest request = DecodeRequest(frame.json);
    Frame answer;
    if (!started) {
      if (request.operation == WorkerOperation::kRunTool) BecomeTool(fd, std::move(request));
      if (request.operation != WorkerOperation::kStart) return kStatusBadRequest;
      EnterWorkerSandbox(request.extract.limits);
      started = true;
      WorkerReply ready;
      ready.ok = true;
      answer = EncodeReply(ready);
    } else {
      LimitNextFile(request.extract.limits);
      answer = ServeSafely(request, frame.body, extract);
    }
    if (SendFrame(fd, answer.view(), {}) != FrameStatus::kOk) return 0;
    ::alarm(0);
  }
}

}  // namespace

int ServeExtraction(int fd, ExtractFunction extract) noexcept {
  try {
    return ServeUntilClosed(fd, extract);
  } catch (const std::exception&) {
    return kStatusBadRequest;
  }
}

int RunExtractWorker(int fd) noexcept {
  // Ctrl-C goes to the whole process group: the parent decides, or the file at hand would count as
  // failed. The worker dies with its parent in any case.
  std::signal(SIGINT, SIG_IGN);
  return ServeExtraction(fd, &ExtractBytes);
}

}  // namespace sworn::indexer
