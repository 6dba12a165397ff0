// Members of a ZIP container held in memory, read within bounds that are counted while inflating.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "indexer/extract/limits.h"

namespace sworn::indexer {

/// The XML parts of an office document by their path inside the container ("word/document.xml").
using ZipMembers = std::map<std::string, std::string, std::less<>>;

/// Reads every member that `wanted` accepts; others are not inflated. Of two members with one name
/// the first is kept. The central directory decides what is a member, so a file that was cut short
/// is damaged. Throws kIntegrity ("corrupt ZIP ..."), kDenied ("encrypted: ...") and kTooLarge with
/// the name of the limit. Thread-safe.
ZipMembers ReadZipMembers(std::string_view bytes, const ExtractLimits& limits,
                          bool (*wanted)(std::string_view name));

}  // namespace sworn::indexer
