#include "audit/audit_keys.h"

#include <utility>

#include "core/error.h"

namespace sworn::audit {
namespace {

constexpr std::size_t kSeedBytes = 32;
constexpr std::uint64_t kMaxPublicKeyFile = 1024;

}  // namespace

VerifierKey ReadVerifierKey(const LogPaths& paths) {
  return ParseVerifierKey(ReadFile(paths.verifier_key, kMaxPublicKeyFile));
}

LogKeys OpenKeys(const LogPaths& paths, const std::string& origin, bool may_create, FileOps& ops) {
  const bool has_seed = std::filesystem::exists(paths.signing_key);
  const bool has_public = std::filesystem::exists(paths.verifier_key);
  if (!has_seed && (has_public || !may_create)) {
    throw Error(ErrorCode::kIntegrity,
                "'" + paths.signing_key.native() + "', which signs the audit log, is missing");
  }
  if (!has_public && !may_create) {
    throw Error(ErrorCode::kIntegrity,
                "'" + paths.verifier_key.native() + "', the audit log's public key, is missing");
  }
  if (!has_seed) WriteFileDurably(ops, paths.signing_key, RandomBytes(kSeedBytes));
  LogKeys keys{SigningKey::FromSeed(ReadFile(paths.signing_key, kSeedBytes)), {}};
  keys.verifier = {origin, keys.signing.PublicKey()};
  if (!has_public) {
    WriteFileDurably(ops, paths.verifier_key, FormatVerifierKey(keys.verifier) + "\n");
  }
  if (ReadVerifierKey(paths) != keys.verifier) {
    throw Error(ErrorCode::kIntegrity,
                "'" + paths.verifier_key.native() + "' is not the public key of this audit log");
  }
  return keys;
}

}  // namespace sworn::audit
