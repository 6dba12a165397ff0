// Signed tree heads as text: C2SP tlog-checkpoint over C2SP signed-note, with Ed25519.
//
//   sworn/<kb id>
//   <tree size>
//   <base64 of the root>
//   (blank line)
//   — sworn/<kb id> <base64 of key id (4 bytes) and signature (64 bytes)>
//
// Sources: c2sp.org/tlog-checkpoint, c2sp.org/signed-note (signature type 0x01). Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/crypto.h"

namespace sworn::audit {

/// Of a checkpoint, cosignatures of others included.
inline constexpr std::size_t kMaxCheckpointBytes = std::size_t{16} * 1024;
inline constexpr std::size_t kMaxCheckpointSignatures = 32;
inline constexpr std::size_t kMaxOriginBytes = 128;

/// "sworn/<kb id>"; throws kInvalidArgument for an id that cannot stand in a note.
std::string OriginOf(std::string_view kb_id);

/// The public key of a log together with its name; C2SP's "vkey" as text:
/// "<origin>+<key id in hexadecimal>+<base64 of 0x01 and the key>".
struct VerifierKey {
  std::string origin;
  std::string public_key;  // 32 bytes

  friend bool operator==(const VerifierKey&, const VerifierKey&) = default;
};
std::string FormatVerifierKey(const VerifierKey& key);
/// Strict; throws Error(kIntegrity). A final newline is allowed.
VerifierKey ParseVerifierKey(std::string_view text);
/// SHA-256(origin || 0x0A || 0x01 || key)[:4].
std::string KeyIdOf(const VerifierKey& key);

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Sha256Digest root{};

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

/// The whole note, signed.
std::string SignCheckpoint(const Checkpoint& checkpoint, const SigningKey& key);

/// The same for a key whose public half the caller already has at hand.
std::string SignCheckpoint(const Checkpoint& checkpoint, const SigningKey& key,
                           const VerifierKey& public_key);

/// Reads a checkpoint and checks its signature: the origin is the key's, exactly one line is signed
/// by this key, lines of other keys are ignored as the note format demands, and extension lines are
/// refused. Throws Error(kIntegrity) that says what is wrong.
Checkpoint OpenCheckpoint(std::string_view note, const VerifierKey& key);

/// Reads a checkpoint without any trust in it; throws Error(kIntegrity) if it is malformed.
Checkpoint ParseCheckpointUnverified(std::string_view note);

}  // namespace sworn::audit
