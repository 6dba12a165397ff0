#include "indexer/extract/frame.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sworn::indexer {
namespace {

constexpr std::uint32_t kMagic = 0x31585753;  // "SWX1"
constexpr std::size_t kHeadBytes = 24;
constexpr std::size_t kMaxChunk = std::size_t{1024} * 1024;
constexpr std::chrono::milliseconds kCancelPoll{100};

// Waits until `fd` is ready for `events`; kOk also when it hung up, the next call will say so.
FrameStatus WaitReady(int fd, short events, const Wait& wait) {
  while (true) {
    if (wait.cancel != nullptr && wait.cancel->cancelled()) return FrameStatus::kCancelled;
    int timeout = wait.cancel != nullptr ? static_cast<int>(kCancelPoll.count()) : -1;
    if (wait.deadline) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          *wait.deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return FrameStatus::kTimedOut;
      const auto left_ms = static_cast<int>(std::min<std::int64_t>(left.count() + 1, INT_MAX));
      timeout = timeout < 0 ? left_ms : std::min(timeout, left_ms);
    }
    pollfd poll_fd{fd, events, 0};
    const int ready = ::poll(&poll_fd, 1, timeout);
    if (ready > 0) return FrameStatus::kOk;
    if (ready < 0 && errno != EINTR) return FrameStatus::kClosed;
  }
}

FrameStatus WriteAll(int fd, std::string_view bytes, const Wait& wait) {
  while (!bytes.empty()) {
    if (const FrameStatus ready = WaitReady(fd, POLLOUT, wait); ready != FrameStatus::kOk) {
      return ready;
    }
    const ssize_t written =
        ::send(fd, bytes.data(), std::min(bytes.size(), kMaxChunk), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return FrameStatus::kClosed;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return FrameStatus::kOk;
}

FrameStatus ReadExactly(int fd, char* to, std::size_t size, const Wait& wait) {
  while (size > 0) {
    if (const FrameStatus ready = WaitReady(fd, POLLIN, wait); ready != FrameStatus::kOk) {
      return ready;
    }
    const ssize_t got = ::read(fd, to, std::min(size, kMaxChunk));
    if (got < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return FrameStatus::kClosed;
    }
    if (got == 0) return FrameStatus::kClosed;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return FrameStatus::kOk;
}

FrameStatus ReadPart(int fd, std::uint64_t size, const Wait& wait, std::string& part) {
  part.resize(size);
  return ReadExactly(fd, part.data(), part.size(), wait);
}

}  // namespace

void AppendU32(std::string& out, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<char>(value >> shift & 0xffU));
  }
}

void AppendU64(std::string& out, std::uint64_t value) {
  AppendU32(out, static_cast<std::uint32_t>(value));
  AppendU32(out, static_cast<std::uint32_t>(value >> 32U));
}

std::uint32_t LoadU32(std::string_view bytes, std::size_t at) noexcept {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return value;
}

std::uint64_t LoadU64(std::string_view bytes, std::size_t at) noexcept {
  return LoadU32(bytes, at) | static_cast<std::uint64_t>(LoadU32(bytes, at + 4)) << 32U;
}

FrameStatus SendFrame(int fd, const FrameView& frame, const Wait& wait) {
  if (frame.json.size() > UINT32_MAX) return FrameStatus::kMalformed;
  std::string head;
  AppendU32(head, kMagic);
  AppendU32(head, static_cast<std::uint32_t>(frame.json.size()));
  AppendU64(head, frame.body.size());
  AppendU64(head, frame.records.size());
  head.append(frame.json);
  for (const std::string_view part : {std::string_view(head), frame.body, frame.records}) {
    if (const FrameStatus status = WriteAll(fd, part, wait); status != FrameStatus::kOk) {
      return status;
    }
  }
  return FrameStatus::kOk;
}

FrameStatus ReceiveFrame(int fd, const FrameBounds& bounds, const Wait& wait, Frame& frame) {
  std::array<char, kHeadBytes> head{};
  FrameStatus status = ReadExactly(fd, head.data(), head.size(), wait);
  if (status != FrameStatus::kOk) return status;
  const std::string_view view(head.data(), head.size());
  const std::uint32_t json_bytes = LoadU32(view, 4);
  const std::uint64_t body_bytes = LoadU64(view, 8);
  const std::uint64_t record_bytes = LoadU64(view, 16);
  if (LoadU32(view, 0) != kMagic || json_bytes > bounds.max_json_bytes ||
      body_bytes > bounds.max_body_bytes || record_bytes > bounds.max_record_bytes) {
    return FrameStatus::kMalformed;
  }
  status = ReadPart(fd, json_bytes, wait, frame.json);
  if (status == FrameStatus::kOk) status = ReadPart(fd, body_bytes, wait, frame.body);
  if (status == FrameStatus::kOk) status = ReadPart(fd, record_bytes, wait, frame.records);
  return status;
}

FrameStatus ReadToEnd(int fd, std::size_t max_bytes, const Wait& wait, std::string& bytes) {
  constexpr std::size_t kBufferBytes = std::size_t{64} * 1024;
  std::array<char, kBufferBytes> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  while (true) {
    if (const FrameStatus ready = WaitReady(fd, POLLIN, wait); ready != FrameStatus::kOk) {
      return ready;
    }
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return FrameStatus::kClosed;
    }
    if (got == 0) return FrameStatus::kOk;
    if (bytes.size() + static_cast<std::size_t>(got) > max_bytes) return FrameStatus::kMalformed;
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace sworn::indexer
