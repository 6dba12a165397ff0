// The key pair of a log. Internal to audit/.
#pragma once

#include <string>

#include "audit/audit_store.h"
#include "audit/checkpoint.h"
#include "core/crypto.h"
#include "core/file.h"

namespace sworn::audit {

struct LogKeys {
  SigningKey signing;
  VerifierKey verifier;
};

/// The keys in keys/. With `may_create` (an empty log) missing ones are made: first the seed, then
/// the public key, so that an interrupted start can be finished. Throws kIntegrity when a key of a
/// log that has entries is missing, or when the two do not belong together.
LogKeys OpenKeys(const LogPaths& paths, const std::string& origin, bool may_create, FileOps& ops);

/// keys/audit.pub alone.
VerifierKey ReadVerifierKey(const LogPaths& paths);

}  // namespace sworn::audit
