// Copies of the log, and beginning again from one.
#pragma once

#include <filesystem>
#include <string>

#include "audit/audit_log.h"

namespace sworn::audit {

/// Copies log.db, payload.db, head and both keys of the log in `folder` to the same places below
/// `target` (made when missing), as one state: appending waits meanwhile. The keys of payloads stay
/// out unless `with_payload_keys`; the payloads' texts are copied. Existing files are refused with
/// kConflict. The copy verifies like the log.
void BackupLog(const std::filesystem::path& folder, const std::filesystem::path& target,
               bool with_payload_keys, FileOps& ops);

/// Opens the copied log in `folder` for a new epoch: appends a RESTORE entry with size and root of
/// the newest signed state that is known (`abandoned`, if given, or audit/head), its own size and
/// root before the entry, and `reason` as payload; then writes audit/head anew. Nothing else may
/// have the log open. The one way to go on with a log that is behind a checkpoint. `abandoned` is
/// the text of a checkpoint of this log; kIntegrity if it is not.
Receipt RestoreLog(const std::filesystem::path& folder, const std::string& kb_id,
                   const Actor& actor, FileOps& ops, const Clock& clock, const std::string& reason,
                   const std::string& abandoned);

}  // namespace sworn::audit
