// The folder of a knowledge base: its layout and its identity.
//
//   kb.json     {"format", "kb_id", "created_by"}
//   catalog.db, index/, tmp/          store/
//   audit/, keys/                     audit/
//   run/                              locks; empty at rest
#pragma once

#include <filesystem>
#include <string>

#include "core/file.h"

namespace sworn::service {

inline constexpr int kFormat = 1;

struct KbIdentity {
  std::string kb_id;  // UUID
};

/// Reads kb.json, or creates folder and file when `create` is set and there is none. Throws
/// kNotConfigured for a missing knowledge base, a newer format (left untouched) or a folder that
/// holds something else.
KbIdentity OpenKbFolder(const std::filesystem::path& folder, bool create, FileOps& ops);

}  // namespace sworn::service
