// A folder as one file and back: a pax tar archive of the files that are named.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/file.h"

namespace sworn::service {

/// Writes the regular files `names` below `folder` into the new file `archive` (mode 0600),
/// durably. Throws kConflict if the archive exists; a half-written one is removed.
void WriteArchive(const std::filesystem::path& folder, const std::vector<std::string>& names,
                  const std::filesystem::path& archive, FileOps& files);

/// Unpacks an archive into the empty folder `folder`. Members must be regular files among
/// `allowed`; anything else, a damaged archive included, throws kIntegrity and names it.
void ReadArchive(const std::filesystem::path& archive, const std::vector<std::string>& allowed,
                 const std::filesystem::path& folder, FileOps& files);

}  // namespace sworn::service
