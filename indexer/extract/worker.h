// The inside of an extraction worker process.
#pragma once

#include <string_view>

#include "indexer/extract/extractor.h"

namespace sworn::indexer {

/// The internal verb: `PROGRAM __extract-worker`, with the socket as descriptor kWorkerSocket.
inline constexpr std::string_view kExtractWorkerVerb = "__extract-worker";
inline constexpr int kWorkerSocket = 3;

/// Serves requests from the socket until it closes; returns the process's exit status. The first
/// request sets the limits and closes the sandbox; should it ask to become a converter instead,
/// this does not return. Never throws.
int RunExtractWorker(int fd) noexcept;

/// The same with another function in place of ExtractBytes; tests plant crashes this way.
int ServeExtraction(int fd, ExtractFunction extract) noexcept;

}  // namespace sworn::indexer
