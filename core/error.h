// The one exception type of Sworn and its codes.
//
// A failure throws sworn::Error; an outcome that may well happen (nothing found, a broken audit
// chain) is a value. Codes know nothing of exit codes or HTTP: cli/exit_code.h and api/http map
// them.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace sworn {

enum class ErrorCode {
  kInvalidArgument,
  kTooLarge,
  kUnsupportedMedia,
  kNotConfigured,
  kUnauthenticated,
  kDenied,
  kNotFound,
  kBusy,
  kTimeout,
  kAuditUnavailable,
  kIntegrity,
  kNoSpace,
  kInternal,
  kNotBuilt,
  kConflict,
  kHeld,
  kUnreachable,
  kCancelled,  // SIGINT or a client that went away
};

/// The code's fixed name in JSON, for example "invalid_argument".
std::string_view ErrorCodeName(ErrorCode code) noexcept;

/// Thrown for every failure. The message is written for the person who typed the command: it names
/// the file, field or flag and holds no document text.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

/// An Error for a failed system call: "WHAT 'PATH': strerror(errno_value)". ENOSPC and EDQUOT
/// become kNoSpace, ENOENT kNotFound, EACCES and EPERM kDenied, anything else kInternal.
Error SystemError(int errno_value, std::string_view what, std::string_view path);

}  // namespace sworn
