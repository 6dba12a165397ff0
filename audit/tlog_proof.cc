#include "audit/tlog_proof.h"

#include <algorithm>
#include <charconv>

#include "audit/merkle_tree.h"
#include "core/error.h"

namespace sworn::audit {
namespace {

constexpr std::string_view kVersionLine = "c2sp.org/tlog-proof@v1\n";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";

[[noreturn]] void Bad(const std::string& why) {
  throw Error(ErrorCode::kIntegrity, "receipt: " + why);
}

std::string Decode(std::string_view text) {
  try {
    return FromBase64(text);
  } catch (const Error&) {
    Bad("invalid base64");
  }
}

std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) Bad("a line without an end");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::string FormatTlogProof(const TlogProof& proof) {
  std::string text(kVersionLine);
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
  if (text.size() > kMaxTlogProofBytes) Bad("it is too large");
  const std::string_view whole = text;
  if (!text.starts_with(kVersionLine)) Bad("it does not start with c2sp.org/tlog-proof@v1");
  text.remove_prefix(kVersionLine.size());
  TlogProof proof;
  std::string_view line = TakeLine(text);
  if (line.starts_with(kExtra)) {
    proof.entry = Decode(line.substr(kExtra.size()));
    line = TakeLine(text);
  }
  if (!line.starts_with(kIndex)) Bad("it has no index");
  line.remove_prefix(kIndex.size());
  if (std::from_chars(line.data(), line.data() + line.size(), proof.index).ec != std::errc()) {
    Bad("the index is not a number");
  }
  for (line = TakeLine(text); !line.empty(); line = TakeLine(text)) {
    if (proof.hashes.size() == kMaxProofHashes) Bad("too many hashes");
    const std::string bytes = Decode(line);
    Sha256Digest hash;
    if (bytes.size() != hash.size()) Bad("a hash does not have 32 bytes");
    std::copy(bytes.begin(), bytes.end(), hash.begin());
    proof.hashes.push_back(hash);
  }
  proof.checkpoint = text;
  // One text for one receipt: leading zeros, an empty "extra" and the like end here.
  if (FormatTlogProof(proof) != whole) Bad("it is not in its only form");
  return proof;
}

Checkpoint VerifyTlogProof(const TlogProof& proof, const VerifierKey& key) {
  if (proof.entry.empty()) Bad("it does not hold the entry");
  DecodeEntry(proof.entry);
  const Checkpoint checkpoint = OpenCheckpoint(proof.checkpoint, key);
  if (!VerifyInclusion(HashLeaf(proof.entry), proof.index, checkpoint.size, proof.hashes,
                       checkpoint.root)) {
    Bad("entry " + std::to_string(proof.index) + " is not in the signed tree of " +
        std::to_string(checkpoint.size));
  }
  return checkpoint;
}

}  // namespace sworn::audit
