#include "audit/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "audit/text_lines.h"
#include "core/error.h"

namespace sworn::audit {
namespace {

constexpr std::string_view kSignaturePrefix = "\xe2\x80\x94 ";  // em dash, space
constexpr char kEd25519 = 1;
constexpr std::size_t kKeyIdBytes = 4;
constexpr std::size_t kPublicKeyBytes = 32;

constexpr std::string_view kSubject = "checkpoint";

[[noreturn]] void Bad(const std::string& why) { TextLines(kSubject, "").Bad(why); }

std::span<const std::uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxOriginBytes &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return c > 0x20 && c < 0x7f && c != '+'; });
}

std::uint64_t ParseSize(std::string_view text) {
  std::uint64_t size = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (text.empty() || error != std::errc() || stop != text.data() + text.size() ||
      (text.front() == '0' && text.size() > 1)) {
    Bad("the tree size is not a decimal number");
  }
  return size;
}

struct SignatureLine {
  std::string_view name;
  std::string bytes;  // key id and signature
};

struct Note {
  std::string_view text;  // what is signed, with its final newline
  Checkpoint checkpoint;
  std::vector<SignatureLine> signatures;
};

Note ParseNote(std::string_view note) {
  if (note.size() > kMaxCheckpointBytes) Bad("it is too large");
  for (const char c : note) {
    if (static_cast<std::uint8_t>(c) < 0x20 && c != '\n') Bad("it has control characters");
  }
  Note parsed;
  TextLines lines(kSubject, note);
  parsed.checkpoint.origin = lines.Take();
  if (!IsName(parsed.checkpoint.origin)) Bad("the origin is not a name");
  parsed.checkpoint.size = ParseSize(lines.Take());
  const std::string root = lines.Decode(lines.Take());
  if (root.size() != parsed.checkpoint.root.size()) Bad("the root is not a SHA-256 digest");
  std::copy(root.begin(), root.end(), parsed.checkpoint.root.begin());
  parsed.text = note.substr(0, note.size() - lines.rest().size());
  if (!lines.Take().empty()) Bad("extension lines are not used here");
  while (!lines.rest().empty()) {
    std::string_view line = lines.Take();
    if (!line.starts_with(kSignaturePrefix)) Bad("a signature line does not start with a dash");
    line.remove_prefix(kSignaturePrefix.size());
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || !IsName(line.substr(0, space))) {
      Bad("a signature line without a name");
    }
    parsed.signatures.push_back({line.substr(0, space), lines.Decode(line.substr(space + 1))});
    if (parsed.signatures.back().bytes.size() <= kKeyIdBytes) Bad("a signature is too short");
    if (parsed.signatures.size() > kMaxCheckpointSignatures) Bad("too many signatures");
  }
  if (parsed.signatures.empty()) Bad("it is not signed");
  return parsed;
}

}  // namespace

std::string OriginOf(std::string_view kb_id) {
  std::string origin = "sworn/" + std::string(kb_id);
  if (kb_id.empty() || !IsName(origin)) {
    throw Error(ErrorCode::kInvalidArgument, "'" + std::string(kb_id) + "' cannot name a log");
  }
  return origin;
}

std::string KeyIdOf(const VerifierKey& key) {
  const Sha256Digest digest = Sha256(key.origin + '\n' + kEd25519 + key.public_key);
  return std::string(digest.begin(), digest.begin() + kKeyIdBytes);
}

std::string FormatVerifierKey(const VerifierKey& key) {
  return key.origin + '+' + ToHex(AsBytes(KeyIdOf(key))) + '+' +
         ToBase64(AsBytes(kEd25519 + key.public_key));
}

VerifierKey ParseVerifierKey(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  const std::size_t first = text.find('+');
  const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos || text.size() > kMaxCheckpointBytes) {
    Bad("a public key has the form name+id+key");
  }
  VerifierKey key;
  key.origin = text.substr(0, first);
  const std::string typed = TextLines(kSubject, "").Decode(text.substr(second + 1));
  if (!IsName(key.origin) || typed.size() != 1 + kPublicKeyBytes || typed.front() != kEd25519) {
    Bad("the public key is not an Ed25519 key of a log");
  }
  key.public_key = typed.substr(1);
  if (FormatVerifierKey(key) != text) Bad("the public key's id does not match");
  return key;
}

std::string SignCheckpoint(const Checkpoint& checkpoint, const SigningKey& key) {
  return SignCheckpoint(checkpoint, key, {checkpoint.origin, key.PublicKey()});
}

std::string SignCheckpoint(const Checkpoint& checkpoint, const SigningKey& key,
                           const VerifierKey& public_key) {
  const std::string text = checkpoint.origin + '\n' + std::to_string(checkpoint.size) + '\n' +
                           ToBase64(checkpoint.root) + '\n';
  const std::string signature = KeyIdOf(public_key) + key.Sign(text);
  return text + '\n' + std::string(kSignaturePrefix) + checkpoint.origin + ' ' +
         ToBase64(AsBytes(signature)) + '\n';
}

Checkpoint OpenCheckpoint(std::string_view note, const VerifierKey& key) {
  Note parsed = ParseNote(note);
  if (parsed.checkpoint.origin != key.origin) {
    Bad("it belongs to " + parsed.checkpoint.origin + ", not to " + key.origin);
  }
  const std::string key_id = KeyIdOf(key);
  int ours = 0;
  for (const SignatureLine& line : parsed.signatures) {
    if (line.name != key.origin || !line.bytes.starts_with(key_id)) continue;
    if (!VerifySignature(key.public_key, parsed.text,
                         std::string_view(line.bytes).substr(kKeyIdBytes))) {
      Bad("the signature is wrong");
    }
    ++ours;
  }
  if (ours != 1) Bad(ours == 0 ? "it is not signed by this key" : "it is signed twice");
  return parsed.checkpoint;
}

Checkpoint ParseCheckpointUnverified(std::string_view note) { return ParseNote(note).checkpoint; }

}  // namespace sworn::audit
