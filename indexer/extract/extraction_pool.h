// Extraction for the rest of the program: bytes of a file in, its text or the reason why not out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/cancel.h"
#include "indexer/extract/limits.h"
#include "indexer/extract/tool_conversion.h"
#include "indexer/extracted.h"

namespace sworn::indexer {

enum class ExtractionStatus {
  kText,      // `text` holds it; it may be empty
  kSkipped,   // nothing to read here: "empty", "unsupported: image/png"
  kFailed,    // damaged, encrypted, beyond a limit, or its worker died
  kNeedsOcr,  // pages without a text layer and nobody to read them
};

struct ExtractionResult {
  ExtractionStatus status = ExtractionStatus::kFailed;
  ExtractedText text;      // of kText
  std::string reason;      // of all others; one line
  std::string media_type;  // what the file was taken for
};

struct ExtractionPoolOptions {
  std::filesystem::path program = "/proc/self/exe";  // started as `program __extract-worker`
  std::size_t workers = 2;
  ExtractLimits limits;
  const CancelFlag* cancel = nullptr;   // outlives the pool; null: never cancelled
  std::optional<ToolCommand> ocr = {};  // OcrCommand(); none: scanned pages need OCR
};

/// Persistent sandboxed workers that read files for any number of threads. A worker that dies costs
/// one file; another takes its place. Thread-safe.
class ExtractionPool {
 public:
  /// Starts nothing yet: workers come with the first files.
  explicit ExtractionPool(ExtractionPoolOptions options);
  ExtractionPool(const ExtractionPool&) = delete;
  ExtractionPool& operator=(const ExtractionPool&) = delete;
  /// Ends the workers; no call of Extract may be running.
  ~ExtractionPool();

  /// Blocks while all workers are busy. `file_name` is only looked at, never opened; `media_type`
  /// empty: DetectMediaType. Throws kCancelled when the flag is set and kInternal if no worker can
  /// be started at all; everything about the file itself is a result.
  ExtractionResult Extract(std::string_view bytes, std::string_view file_name,
                           std::string_view media_type = {});

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::indexer
