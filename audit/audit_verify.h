// Checks a whole log, trusting nothing in it but a public key (and a head) that the caller brings.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "audit/checkpoint.h"

namespace sworn::audit {

/// What kind of fault was found first; the stand-alone verifier has an exit code for each.
enum class VerifyFault {
  kNone,
  kEntry,       // an entry, a stored node or a payload is not what was logged
  kSignature,   // a checkpoint or key is not the log's
  kFork,        // a signed checkpoint contradicts the entries
  kTruncation,  // the log is shorter than a signed checkpoint says
};
std::string_view VerifyFaultName(VerifyFault fault);

struct VerifyOptions {
  /// The C2SP verifier key as the caller knows it; keys/audit.pub when empty, which proves nothing
  /// against somebody who may write there.
  std::string trusted_key;
  /// A checkpoint that was kept elsewhere; the log must contain its tree. Empty for none.
  /// audit/head is always checked as well.
  std::string anchor;
};

struct VerifyReport {
  bool ok = false;
  VerifyFault fault = VerifyFault::kNone;
  std::uint64_t entries = 0;  // in the log
  std::uint64_t checkpoints = 0;
  std::uint64_t payloads = 0;          // whose commitment was recomputed
  std::uint64_t payloads_missing = 0;  // their keys were left out of a backup that was restored
  std::uint64_t open_intents = 0;      // in flight, or their process died since
  /// The fault lies in the entries first_bad to last_bad; where only a range can be vouched for
  /// (everything below was made consistent and only a checkpoint disagrees) they differ.
  std::optional<std::uint64_t> first_bad;
  std::optional<std::uint64_t> last_bad;
  std::string reason;     // empty if ok
  Checkpoint head;        // recomputed: size and root of the entries that are there
  bool restored = false;  // the log has a RESTORE entry
};

/// Walks the log in `folder` once, in constant memory apart from intents in flight, without
/// writing and beside running writers. A broken log is a value; only a log that cannot be read at
/// all (kNotFound, I/O) throws. `progress` gets the entries done so far; it may be empty.
VerifyReport VerifyLog(const std::filesystem::path& folder, const VerifyOptions& options,
                       const std::function<void(std::uint64_t)>& progress = {});

}  // namespace sworn::audit
