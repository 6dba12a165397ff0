#include "audit/tlog_proof.h"

#include <algorithm>
#include <charconv>

#include "audit/merkle_tree.h"
#include "audit/text_lines.h"
#include "core/error.h"

namespace sworn::audit {
namespace {

constexpr std::string_view kVersionLine = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";

constexpr std::string_view kSubject = "receipt";

}  // namespace

std::string FormatTlogProof(const TlogProof& proof) {
  std::string text(kVersionLine);
  text += '\n';
  if (!proof.entry.empty()) {
    text += kExtra;
    text +=
        ToBase64({reinterpret_cast<const std::uint8_t*>(proof.entry.data()), proof.entry.size()});
    text += '\n';
  }
  text += kIndex;
  text += std::to_string(proof.index) + '\n';
  for (const Sha256Digest& hash : proof.hashes) text += ToBase64(hash) + '\n';
  return text + '\n' + proof.checkpoint;
}

TlogProof ParseTlogProof(std::string_view text) {
  TextLines lines(kSubject, text);
  if (text.size() > kMaxTlogProofBytes) lines.Bad("it is too large");
  if (lines.Take() != kVersionLine) lines.Bad("it does not start with c2sp.org/tlog-proof@v1");
  TlogProof proof;
  std::string_view line = lines.Take();
  if (line.starts_with(kExtra)) {
    proof.entry = lines.Decode(line.substr(kExtra.size()));
    line = lines.Take();
  }
  if (!line.starts_with(kIndex)) lines.Bad("it has no index");
  line.remove_prefix(kIndex.size());
  if (std::from_chars(line.data(), line.data() + line.size(), proof.index).ec != std::errc()) {
    lines.Bad("the index is not a number");
  }
  for (line = lines.Take(); !line.empty(); line = lines.Take()) {
    if (proof.hashes.size() == kMaxProofHashes) lines.Bad("too many hashes");
    const std::string bytes = lines.Decode(line);
    Sha256Digest hash;
    if (bytes.size() != hash.size()) lines.Bad("a hash does not have 32 bytes");
    std::copy(bytes.begin(), bytes.end(), hash.begin());
    proof.hashes.push_back(hash);
  }
  proof.checkpoint = lines.rest();
  // One text for one receipt: leading zeros, an empty "extra" and the like end here.
  if (FormatTlogProof(proof) != text) lines.Bad("it is not in its only form");
  return proof;
}

Checkpoint VerifyTlogProof(const TlogProof& proof, const VerifierKey& key) {
  const TextLines lines(kSubject, "");
  if (proof.entry.empty()) lines.Bad("it does not hold the entry");
  DecodeEntry(proof.entry);
  Checkpoint checkpoint = OpenCheckpoint(proof.checkpoint, key);
  if (!VerifyInclusion(HashLeaf(proof.entry), proof.index, checkpoint.size, proof.hashes,
                       checkpoint.root)) {
    lines.Bad("entry " + std::to_string(proof.index) + " is not in the signed tree of " +
              std::to_string(checkpoint.size));
  }
  return checkpoint;
}

}  // namespace sworn::audit
