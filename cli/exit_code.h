// From an error's code to what a script sees: the exit status and the type in the JSON envelope.
#pragma once

#include <string_view>

#include "core/error.h"

namespace sworn::cli {

inline constexpr int kExitSuccess = 0;
/// A command that ended but could not do all of it: a file failed to be read.
inline constexpr int kExitPartial = 1;
/// `audit verify` and `fsck` found damage.
inline constexpr int kExitDamage = 8;
/// 128 + SIGINT, as shells count; also what kCancelled becomes.
inline constexpr int kExitInterrupted = 130;

/// The exit status of a command that ended with this error.
int ExitCode(ErrorCode code) noexcept;

/// "invalid_request_error", "permission_error", "rate_limit_error" or "server_error".
std::string_view ErrorType(ErrorCode code) noexcept;

}  // namespace sworn::cli
