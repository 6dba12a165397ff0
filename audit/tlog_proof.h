// Receipts: that one entry stands in a signed tree, provable without the log.
//
// C2SP tlog-proof (c2sp.org/tlog-proof): the version line, "extra" with the base64 of the entry's
// own bytes, "index", the inclusion proof, a blank line, the checkpoint. The extra data is not
// trusted: it is the leaf whose hash the proof must lead to the signed root. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audit/audit_entry.h"
#include "audit/checkpoint.h"
#include "core/crypto.h"

namespace sworn::audit {

/// Of a receipt: the entry in base64, the hashes and the checkpoint.
inline constexpr std::size_t kMaxTlogProofBytes = std::size_t{128} * 1024;

struct TlogProof {
  std::string entry;  // bytes of the entry; empty if the receipt has none
  std::uint64_t index = 0;
  std::vector<Sha256Digest> hashes;
  std::string checkpoint;  // the note as it was signed

  friend bool operator==(const TlogProof&, const TlogProof&) = default;
};

std::string FormatTlogProof(const TlogProof& proof);

/// Strict: parsing and formatting again gives the same bytes. Throws Error(kIntegrity). Neither the
/// proof nor the checkpoint is verified.
TlogProof ParseTlogProof(std::string_view text);

/// Checks everything that a receipt claims and returns its checkpoint; throws Error(kIntegrity)
/// that says what does not hold.
Checkpoint VerifyTlogProof(const TlogProof& proof, const VerifierKey& key);

}  // namespace sworn::audit
