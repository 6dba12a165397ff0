// Checks signatures of checkpoints on several threads: they are most of a verification's work.
// Internal to audit/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/audit_store.h"
#include "audit/checkpoint.h"

namespace sworn::audit {

/// One thread at a time; starts its own.
class SignatureBatch {
 public:
  explicit SignatureBatch(VerifierKey key) : key_(std::move(key)) {}

  struct Fault {
    std::uint64_t size = 0;  // of the first checkpoint that does not hold
    std::string reason;
  };

  /// Takes a checkpoint; when enough are waiting, checks them all.
  std::optional<Fault> Add(StoredCheckpoint checkpoint);
  /// Checks those that wait and returns the first that does not hold.
  std::optional<Fault> Flush();

 private:
  VerifierKey key_;
  std::vector<StoredCheckpoint> waiting_;
};

}  // namespace sworn::audit
