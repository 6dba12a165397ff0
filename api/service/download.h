// Fetching a file over HTTP: the only code of Sworn that opens a network connection. Built out with
// -DSWORN_WITH_PULL=OFF; then Download throws kNotBuilt.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "core/cancel.h"
#include "core/file.h"

namespace sworn::service {

/// False where it was built out.
[[nodiscard]] bool CanDownload() noexcept;

struct DownloadRequest {
  std::string url;                   // http or https
  std::filesystem::path part;        // where the bytes gather; what is there is gone on with
  std::uint64_t max_bytes = 0;       // of the whole file
  std::uint32_t attempts = 5;        // connections that may break off before it gives up
  std::uint32_t pause_ms = 1000;     // before another attempt
  std::uint32_t stall_seconds = 60;  // a connection that brings nothing for so long is broken
};

/// Bytes so far and in all (0: unknown).
using DownloadProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// Returns when `part` is complete and synced. Goes on where `part` ends (Range), also in a later
/// process; what the server may have changed meanwhile (If-Range with the ETag kept in
/// "<part>.etag") and what has no ETag starts anew. Follows at most 10 redirections, never from
/// https to http. Proxies are taken from the usual variables (https_proxy, no_proxy) by libcurl.
/// Throws kInvalidArgument for another scheme, kNotFound (404, 410), kDenied (401, 403), kTooLarge,
/// kUnreachable (the part stays), kCancelled, kNoSpace.
void Download(const DownloadRequest& request, FileOps& ops, const DownloadProgress& progress,
              const CancelFlag& cancel);

}  // namespace sworn::service
