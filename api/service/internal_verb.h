// Verbs of the program that only the program itself uses (extraction workers).
#pragma once

#include <optional>

namespace sworn::service {

/// Runs the internal verb if argv names one and returns its exit status; nothing otherwise. Called
/// first in main, before any option is parsed.
std::optional<int> MaybeRunInternalVerb(int argc, char** argv);

}  // namespace sworn::service
