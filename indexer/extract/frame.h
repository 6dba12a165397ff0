// Length-prefixed frames over a stream socket between the program and an extraction worker.
//
// A frame is a 24-byte head (u32 magic, u32 json bytes, u64 body bytes, u64 record bytes, all
// little-endian) and then those three parts. docs/formats/extraction.md describes what they hold.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/cancel.h"

namespace sworn::indexer {

struct FrameView {
  std::string_view json;
  std::string_view body;
  std::string_view records;
};

struct Frame {
  std::string json;
  std::string body;
  std::string records;

  [[nodiscard]] FrameView view() const { return {json, body, records}; }
};

/// What a receiver accepts; checked before anything is allocated.
struct FrameBounds {
  std::size_t max_json_bytes = 0;
  std::size_t max_body_bytes = 0;
  std::size_t max_record_bytes = 0;
};

enum class FrameStatus {
  kOk,
  kClosed,     // the other side closed the socket (or died) first
  kTimedOut,   // the deadline passed
  kCancelled,  // the flag was set
  kMalformed,  // wrong magic or a part beyond its bound
};

/// Until when to wait; no deadline and no flag means for ever.
struct Wait {
  std::optional<std::chrono::steady_clock::time_point> deadline;
  const CancelFlag* cancel = nullptr;
};

/// Over a stream socket, blocking or not; a closed one never raises SIGPIPE.
FrameStatus SendFrame(int fd, const FrameView& frame, const Wait& wait);
FrameStatus ReceiveFrame(int fd, const FrameBounds& bounds, const Wait& wait, Frame& frame);

/// Everything `fd` gives until it ends, at most `max_bytes` (kMalformed beyond).
FrameStatus ReadToEnd(int fd, std::size_t max_bytes, const Wait& wait, std::string& bytes);

/// Little-endian integers, as heads and block records use them.
void AppendU32(std::string& out, std::uint32_t value);
void AppendU64(std::string& out, std::uint64_t value);
std::uint32_t LoadU32(std::string_view bytes, std::size_t at) noexcept;  // at + 4 <= size
std::uint64_t LoadU64(std::string_view bytes, std::size_t at) noexcept;  // at + 8 <= size

}  // namespace sworn::indexer
