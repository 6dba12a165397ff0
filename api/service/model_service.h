// The use cases around model files: import, pull, verify, remove. What changes the registry is an
// entry of the audit log.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "api/service/components.h"
#include "api/service/model_registry.h"
#include "api/service/requests.h"
#include "audit/audit_log.h"
#include "core/cancel.h"

namespace sworn::service {

/// Copies a GGUF file, or converts a safetensors file or folder, into the registry. A file that the
/// engine cannot read is refused with its reason and not taken.
ModelEntry ImportModel(Components& parts, audit::AuditLog& log, const ModelImportRequest& request,
                       const ProgressSink& progress, const CancelFlag& cancel);

/// Downloads a GGUF file. Throws kNotConfigured for a name without a base address.
ModelEntry PullModel(Components& parts, audit::AuditLog& log, const ModelPullRequest& request,
                     const ProgressSink& progress, const CancelFlag& cancel);

ModelEntry RemoveModel(Components& parts, audit::AuditLog& log, const std::string& id);

/// Where `what` of a pull is: itself if it is an address, else below `base_url` ("<base>/<path of a
/// known model>" or "<base>/<what>.gguf").
struct PullSource {
  std::string url;
  std::string id;      // suggested
  std::string sha256;  // of a known model; empty: whatever comes is pinned
};
PullSource ResolvePull(const std::string& what, const std::string& base_url);

}  // namespace sworn::service
