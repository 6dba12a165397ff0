#include "core/error.h"

#include <cerrno>
#include <system_error>

namespace sworn {

std::string_view ErrorCodeName(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid_argument";
    case ErrorCode::kTooLarge:
      return "too_large";
    case ErrorCode::kUnsupportedMedia:
      return "unsupported_media";
    case ErrorCode::kNotConfigured:
      return "not_configured";
    case ErrorCode::kUnauthenticated:
      return "unauthenticated";
    case ErrorCode::kDenied:
      return "denied";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kBusy:
      return "busy";
    case ErrorCode::kTimeout:
      return "timeout";
    case ErrorCode::kAuditUnavailable:
      return "audit_unavailable";
    case ErrorCode::kIntegrity:
      return "integrity";
    case ErrorCode::kNoSpace:
      return "no_space";
    case ErrorCode::kInternal:
      return "internal";
    case ErrorCode::kNotBuilt:
      return "not_built";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kHeld:
      return "held";
    case ErrorCode::kUnreachable:
      return "unreachable";
    case ErrorCode::kCancelled:
      return "cancelled";
  }
  return "internal";
}

namespace {

ErrorCode CodeOfErrno(int errno_value) noexcept {
  switch (errno_value) {
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kDenied;
    default:
      return ErrorCode::kInternal;
  }
}

}  // namespace

Error SystemError(int errno_value, std::string_view what, std::string_view path) {
  std::string message(what);
  if (!path.empty()) message.append(" '").append(path).append("'");
  message.append(": ").append(std::generic_category().message(errno_value));
  return {CodeOfErrno(errno_value), message};
}

}  // namespace sworn
