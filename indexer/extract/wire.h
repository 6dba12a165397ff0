// What travels in the frames: requests to an extraction worker and its replies.
//
// The worker has read hostile bytes and may be in an attacker's hands, so a reply is decoded as
// hostile input: every number, range, string and size is checked again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "indexer/extract/extractor.h"
#include "indexer/extract/frame.h"

namespace sworn::indexer {

enum class WorkerOperation { kStart, kExtract, kRenderPage, kRunTool };

struct WorkerRequest {
  WorkerOperation operation = WorkerOperation::kExtract;
  ExtractRequest extract;              // of kStart and kRunTool only the limits
  std::uint32_t page = 0;              // of kRenderPage
  std::uint32_t dpi = 0;               // of kRenderPage
  std::vector<std::string> arguments;  // of kRunTool: absolute path of the program, then arguments
};

struct WorkerReply {
  bool ok = false;
  ErrorCode code = ErrorCode::kInternal;  // of a failure
  std::string reason;                     // of a failure; empty otherwise
  Extraction extraction;                  // of kExtract
  std::string image;                      // of kRenderPage
};

inline constexpr std::size_t kMaxReasonBytes = 512;

/// Bounds on the frames of either direction.
FrameBounds RequestBounds();
FrameBounds ReplyBounds();

/// The JSON part of a request; the file's bytes are the frame's body.
std::string EncodeRequest(const WorkerRequest& request);
/// Throws kInvalidArgument if it is no request.
WorkerRequest DecodeRequest(std::string_view json);

/// Throws kTooLarge if the reply passes ReplyBounds().
Frame EncodeReply(const WorkerReply& reply);
/// Throws kIntegrity if anything in it is not as extracted.h and limits.h promise.
WorkerReply DecodeReply(Frame frame);

}  // namespace sworn::indexer
